// Drives one library against the gateway: a streamed text, a streamed tool loop, an error. Prints what the library made of them as JSON.
// Arguments: library, address of the gateway without a path, key, model.
const [, , library, base, key, model] = process.argv;
const ASK = "What is the weather in Oslo?";
const FAIL = "please fail";
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const RESULT = "It rains.";

async function openaiChat() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const tools = [{ type: "function", function: { name: "weather", description: "d", parameters: schema } }];
  const say = async (messages, more) => {
    const runner = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true }, ...more });
    return { message: (await runner.finalChatCompletion()).choices[0].message, usage: await runner.totalUsage() };
  };
  const user = (content) => ({ role: "user", content });
  return {
    text: async () => {
      const { message, usage } = await say([user(ASK)]);
      return { text: message.content, output: usage.completion_tokens };
    },
    tools: async () => {
      const { message } = await say([user(ASK)], { tools });
      const [call] = message.tool_calls;
      const turns = [user(ASK), message, { role: "tool", tool_call_id: call.id, content: RESULT }];
      const last = await say(turns, { tools });
      return { name: call.function.name, input: JSON.parse(call.function.arguments), final: last.message.content };
    },
    fail: () => say([user(FAIL)]),
  };
}

async function openaiResponses() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const tools = [{ type: "function", name: "weather", description: "d", parameters: schema, strict: true }];
  const say = async (input, more) => await client.responses.stream({ model, input, ...more }).finalResponse();
  return {
    text: async () => {
      const answer = await say(ASK);
      return { text: answer.output_text, output: answer.usage.output_tokens };
    },
    tools: async () => {
      const first = await say(ASK, { tools });
      const call = first.output.find((item) => item.type === "function_call");
      const result = [{ type: "function_call_output", call_id: call.call_id, output: RESULT }];
      const last = await say(result, { tools, previous_response_id: first.id });
      return { name: call.name, input: JSON.parse(call.arguments), final: last.output_text };
    },
    fail: () => say(FAIL),
  };
}

async function anthropic() {
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 });
  const tools = [{ name: "weather", description: "d", input_schema: schema }];
  const say = async (messages, more) => await client.messages.stream({ model, max_tokens: 500, messages, ...more }).finalMessage();
  const user = (content) => ({ role: "user", content });
  return {
    text: async () => {
      const answer = await say([user(ASK)]);
      const counted = await client.messages.countTokens({ model, messages: [user(ASK)] });
      if (!(counted.input_tokens > 0)) throw new Error("no tokens were counted");
      return { text: answer.content[0].text, output: answer.usage.output_tokens };
    },
    tools: async () => {
      const first = await say([user(ASK)], { tools });
      const call = first.content.find((block) => block.type === "tool_use");
      const result = [{ type: "tool_result", tool_use_id: call.id, content: RESULT }];
      const last = await say([user(ASK), { role: "assistant", content: first.content }, user(result)], { tools });
      return { name: call.name, input: call.input, final: last.content[0].text };
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
  const user = (part) => ({ role: "user", parts: [part] });
  return {
    text: async () => {
      const { text, usage } = await say([user({ text: ASK })]);
      return { text, output: usage.candidatesTokenCount };
    },
    tools: async () => {
      const first = await say([user({ text: ASK })], { tools });
      const made = first.parts.filter((part) => part.functionCall);
      const [{ functionCall: call }] = made;
      const result = { functionResponse: { id: call.id, name: call.name, response: { result: RESULT } } };
      const last = await say([user({ text: ASK }), { role: "model", parts: made }, user(result)], { tools });
      return { name: call.name, input: call.args, final: last.text };
    },
    fail: () => say([user({ text: FAIL })]),
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
  const { streamText, tool, jsonSchema, stepCountIs } = await import("ai");
  const chosen = (await import(from))[create]({ name: "suffice", baseURL: base + path, apiKey: key, includeUsage: true })(model);
  const made = [];
  const execute = async (input) => {
    made.push(input);
    return RESULT;
  };
  const weather = tool({ description: "d", inputSchema: jsonSchema(schema), execute });
  const say = async (prompt, more) => {
    let failure = null;
    const onError = ({ error }) => (failure = error);
    const result = streamText({ model: chosen, prompt, maxRetries: 0, onError, ...more });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    if (failure) throw failure;
    return { text, usage: await result.usage };
  };
  return {
    text: async () => {
      const { text, usage } = await say(ASK);
      return { text, output: usage.outputTokens };
    },
    tools: async () => {
      const { text } = await say(ASK, { tools: { weather }, stopWhen: stepCountIs(3) });
      return { name: made.length ? "weather" : "", input: made[0], final: text };
    },
    fail: () => say(FAIL),
  };
}

const libraries = { "openai-chat": openaiChat, "openai-responses": openaiResponses, anthropic, google };
const driven = await (libraries[library] ?? vercel)();
const told = { text: await driven.text(), tools: await driven.tools() };
try {
  await driven.fail();
  told.error = { status: 200 };
} catch (error) {
  told.error = { status: error.status ?? error.statusCode, message: String(error.message) };
}
console.log(JSON.stringify(told));
