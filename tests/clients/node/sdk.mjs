// Drives one library against the gateway and prints what it made of the answers as JSON: a text streamed and whole, a loop with one
// tool call and with two at once, a structured answer, an error. Arguments: library, address of the gateway without a path, key, model.
const [, , library, base, key, model] = process.argv;
const ASK = "What is the weather in Oslo?";
const BOTH = "please both: Oslo and Bergen";
const STRUCTURE = "please structure: Oslo";
const FAIL = "please fail";
const RESULT = "It rains.";
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const user = (content) => ({ role: "user", content });

async function openaiChat() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const tools = [{ type: "function", function: { name: "weather", description: "d", parameters: schema } }];
  const say = async (messages, more) => {
    const runner = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true }, ...more });
    return { message: (await runner.finalChatCompletion()).choices[0].message, usage: await runner.totalUsage() };
  };
  const ask = (content, more) => client.chat.completions.create({ model, messages: [user(content)], ...more });
  return {
    text: async () => {
      const { message, usage } = await say([user(ASK)]);
      return { text: message.content, output: usage.completion_tokens };
    },
    whole: async () => {
      const answer = await ask(ASK);
      return { text: answer.choices[0].message.content, output: answer.usage.completion_tokens };
    },
    loop: async (content) => {
      const { message } = await say([user(content)], { tools });
      const calls = message.tool_calls;
      const results = calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: RESULT }));
      const last = await say([user(content), message, ...results], { tools });
      return { inputs: calls.map((call) => JSON.parse(call.function.arguments)), final: last.message.content };
    },
    structured: async () => {
      const response_format = { type: "json_schema", json_schema: { name: "place", strict: true, schema } };
      return JSON.parse((await ask(STRUCTURE, { response_format })).choices[0].message.content);
    },
    fail: () => say([user(FAIL)]),
  };
}

async function openaiResponses() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const tools = [{ type: "function", name: "weather", description: "d", parameters: schema, strict: true }];
  const say = async (input, more) => await client.responses.stream({ model, input, ...more }).finalResponse();
  const text = (answer) => ({ text: answer.output_text, output: answer.usage.output_tokens });
  return {
    text: async () => text(await say(ASK)),
    whole: async () => text(await client.responses.create({ model, input: ASK })),
    loop: async (input) => {
      const first = await say(input, { tools });
      const calls = first.output.filter((item) => item.type === "function_call");
      const results = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: RESULT }));
      const last = await say(results, { tools, previous_response_id: first.id });
      return { inputs: calls.map((call) => JSON.parse(call.arguments)), final: last.output_text };
    },
    structured: async () => {
      const format = { type: "json_schema", name: "place", strict: true, schema };
      return JSON.parse((await client.responses.create({ model, input: STRUCTURE, text: { format } })).output_text);
    },
    fail: () => say(FAIL),
  };
}

async function anthropic() {
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 });
  const tools = [{ name: "weather", description: "d", input_schema: schema }];
  const say = async (messages, more) => await client.messages.stream({ model, max_tokens: 500, messages, ...more }).finalMessage();
  const ask = (content, more) => client.messages.create({ model, max_tokens: 500, messages: [user(content)], ...more });
  const text = (answer) => ({ text: answer.content[0].text, output: answer.usage.output_tokens });
  return {
    text: async () => {
      const counted = await client.messages.countTokens({ model, messages: [user(ASK)] });
      if (!(counted.input_tokens > 0)) throw new Error("no tokens were counted");
      return text(await say([user(ASK)]));
    },
    whole: async () => text(await ask(ASK)),
    loop: async (content) => {
      const first = await say([user(content)], { tools });
      const calls = first.content.filter((block) => block.type === "tool_use");
      const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: RESULT }));
      const last = await say([user(content), { role: "assistant", content: first.content }, user(results)], { tools });
      return { inputs: calls.map((call) => call.input), final: last.content[0].text };
    },
    structured: async () => {
      const answer = await ask(STRUCTURE, { output_config: { format: { type: "json_schema", schema } } });
      return JSON.parse(answer.content[0].text);
    },
    fail: () => say([user(FAIL)]),
  };
}

async function google() {
  const { GoogleGenAI } = await import("@google/genai");
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });
  const tools = [{ functionDeclarations: [{ name: "weather", description: "d", parametersJsonSchema: schema }] }];
  const say = async (contents, config) => {
    const parts = [];
    let usage = null;
    for await (const chunk of await client.models.generateContentStream({ model, contents, config })) {
      parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
      usage = chunk.usageMetadata ?? usage;
    }
    return { parts, usage, text: parts.map((part) => part.text ?? "").join("") };
  };
  const says = (...parts) => ({ role: "user", parts });
  return {
    text: async () => {
      const { text, usage } = await say([says({ text: ASK })]);
      return { text, output: usage.candidatesTokenCount };
    },
    whole: async () => {
      const answer = await client.models.generateContent({ model, contents: ASK });
      return { text: answer.text, output: answer.usageMetadata.candidatesTokenCount };
    },
    loop: async (content) => {
      const first = await say([says({ text: content })], { tools });
      const made = first.parts.filter((part) => part.functionCall);
      const calls = made.map((part) => part.functionCall);
      const results = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { result: RESULT } } }));
      const last = await say([says({ text: content }), { role: "model", parts: made }, says(...results)], { tools });
      return { inputs: calls.map((call) => call.args), final: last.text };
    },
    structured: async () => {
      const config = { responseMimeType: "application/json", responseJsonSchema: schema };
      return JSON.parse((await client.models.generateContent({ model, contents: STRUCTURE, config })).text);
    },
    fail: () => say([says({ text: FAIL })]),
  };
}

const AI = {
  "ai-chat": ["@ai-sdk/openai-compatible", "createOpenAICompatible", "/v1"],
  "ai-responses": ["@ai-sdk/openai", "createOpenAI", "/v1"],
  "ai-messages": ["@ai-sdk/anthropic", "createAnthropic", "/v1"],
  "ai-gemini": ["@ai-sdk/google", "createGoogleGenerativeAI", "/v1beta"],
};

async function vercel() {
  const [from, create, path] = AI[library];
  const { generateText, streamText, tool, jsonSchema, stepCountIs, Output } = await import("ai");
  const options = { name: "suffice", baseURL: base + path, apiKey: key, includeUsage: true, supportsStructuredOutputs: true };
  const chosen = (await import(from))[create](options)(model);
  const say = async (prompt, more) => {
    let failure = null;
    const onError = ({ error }) => (failure = error);
    const result = streamText({ model: chosen, prompt, maxRetries: 0, onError, ...more });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    if (failure) throw failure;
    return { text, output: (await result.usage).outputTokens };
  };
  const ask = (prompt, more) => generateText({ model: chosen, prompt, maxRetries: 0, ...more });
  return {
    text: () => say(ASK),
    whole: async () => {
      const answer = await ask(ASK);
      return { text: answer.text, output: answer.usage.outputTokens };
    },
    loop: async (content) => {
      const inputs = [];
      const execute = async (input) => {
        inputs.push(input);
        return RESULT;
      };
      const tools = { weather: tool({ description: "d", inputSchema: jsonSchema(schema), execute }) };
      const { text } = await say(content, { tools, stopWhen: stepCountIs(3) });
      return { inputs, final: text };
    },
    structured: async () => (await ask(STRUCTURE, { output: Output.object({ schema: jsonSchema(schema) }) })).output,
    fail: () => say(FAIL),
  };
}

const libraries = { "openai-chat": openaiChat, "openai-responses": openaiResponses, anthropic, google };
const driven = await (libraries[library] ?? vercel)();
const told = {};
const asks = { text: driven.text, whole: driven.whole, tools: () => driven.loop(ASK), parallel: () => driven.loop(BOTH), structured: driven.structured };
for (const [name, run] of Object.entries(asks)) {
  try {
    told[name] = await run();
  } catch (error) {
    told[name] = { failed: String(error?.stack ?? error).slice(0, 600) };
  }
}
try {
  await driven.fail();
  told.error = { status: 200 };
} catch (error) {
  told.error = { status: error.status ?? error.statusCode, message: String(error.message) };
}
console.log(JSON.stringify(told));
