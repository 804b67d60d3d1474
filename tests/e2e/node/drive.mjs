// Drives one scenario with the official OpenAI SDK and prints what the SDK made of it as one JSON document.
import OpenAI from "openai";

const [, , scenario, baseURL] = process.argv;
const client = new OpenAI({ baseURL, apiKey: "unused" });
const messages = [{ role: "user", content: "What is the weather in Paris and in Rome?" }];
const tools = [
  { type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } },
];

const scenarios = {
  async chat() {
    const answer = await client.chat.completions.create({ model: "auto", messages });
    return { text: answer.choices[0].message.content, usage: answer.usage };
  },
  async stream() {
    let text = "";
    let usage = null;
    const options = { stream: true, stream_options: { include_usage: true } };
    for await (const chunk of await client.chat.completions.create({ model: "openai/m", messages, ...options })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    return { text, usage };
  },
  async tools() {
    const answer = await client.chat.completions.create({ model: "openai/m", messages, tools });
    return answer.choices[0].message.tool_calls.map((call) => call.function.arguments);
  },
  async streamedTools() {
    const runner = client.chat.completions.stream({ model: "openai/m", messages, tools });
    const final = await runner.finalChatCompletion();
    return final.choices[0].message.tool_calls.map((call) => call.function.arguments);
  },
  async embeddings() {
    const numbers = await client.embeddings.create({ model: "openai/m", input: ["a", "b"], encoding_format: "float" });
    const coded = await client.embeddings.create({ model: "openai/m", input: ["a", "b"] });
    const near = numbers.data[0].embedding.every((x, i) => Math.abs(x - coded.data[0].embedding[i]) < 1e-5);
    return { count: numbers.data.length, near };
  },
  async models() {
    const listed = [];
    for await (const model of client.models.list()) listed.push(model.id);
    return { listed, one: (await client.models.retrieve("openai/m")).id };
  },
  async failure() {
    try {
      await client.chat.completions.create({ model: "openai/m", messages });
    } catch (error) {
      return { status: error.status, code: error.code };
    }
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
