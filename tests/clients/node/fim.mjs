// Drives Continue's adapter for fill-in-the-middle. Arguments: its provider's name, address of the gateway without a path, key, model.
import { constructLlmApi } from "@continuedev/openai-adapters";

const [, , provider, base, key, model] = process.argv;
const path = provider === "deepseek" ? "/" : "/v1/";
const api = constructLlmApi({ provider, apiBase: base + path, apiKey: key });
const body = { model, prompt: "def add(a, b):\n    return ", suffix: "\n", max_tokens: 32, stream: true };
let text = "";
for await (const chunk of api.fimStream(body, new AbortController().signal)) text += chunk.choices?.[0]?.delta?.content ?? chunk.choices?.[0]?.text ?? "";
console.log(JSON.stringify({ text }));
