// The control API (sandbox-api.md section 3).

export class Refused extends Error {}

async function call(method, path, body) {
  const answer = await fetch("/sandbox/api/" + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw new Refused(value.error?.message ?? answer.statusText);
  return value;
}

export const get = (path, query = {}) => call("GET", path + "?" + new URLSearchParams(query));
export const post = (path, body) => call("POST", path, body);
