/* The REST interface under /api/v1/, with its problem documents as errors. */

const ROOT = "/api/v1";

/** A refusal in words; `errors` is `[{field, message}]`. */
export class Problem extends Error {
  constructor(status, body) {
    const fields = (body?.errors ?? []).map((error) => (error.field ? `${error.field}: ${error.message}` : error.message));
    super(fields.join(" ") || body?.detail || body?.title || `The server answered ${status}.`);
    this.status = status;
    this.errors = body?.errors ?? [];
  }
}

function csrf() {
  return document.querySelector("meta[name=csrf-token]")?.content ?? "";
}

/** GET by default; `params` with null or "" are left out. Network failures are TypeErrors, refusals are Problems. */
export async function api(path, { method = "GET", body, params = {}, signal } = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const address = path.startsWith("/") || path.startsWith("http") ? path : `${ROOT}/${path}`;
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrf();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(query.size ? `${address}?${query}` : address, {
    method,
    headers,
    signal,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.status === 204) return null;
  const text = await response.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = null; // an error page instead of JSON: the status says enough
  }
  if (!response.ok) throw new Problem(response.status, data);
  return data;
}
