// The control API (docs/sandbox.md). `Refused` is an answer that says no; anything else thrown is no answer.

export class Refused extends Error {
  constructor(message, status, code, field) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

async function call(method, path, body, signal) {
  const answer = await fetch("/sandbox/api/" + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
    signal,
  });
  if (!(answer.headers.get("Content-Type") ?? "").includes("json")) throw new Refused(answer.statusText, answer.status);
  const value = await answer.json();
  if (!answer.ok) throw new Refused(value.error?.message ?? answer.statusText, answer.status, value.error?.code, value.error?.field);
  return value;
}

export const get = (path, query = {}) => call("GET", path + "?" + new URLSearchParams(query));
export const post = (path, body, signal) => call("POST", path, body, signal);
