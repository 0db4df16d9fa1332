/* Requests to the REST interface under /api/v1/. Its problem documents become errors. */

import { unpack } from "./binary.js";
import { at } from "./paths.js";

const ROOT = "/api/v1";

/** A refusal of the server in words. `errors` is `[{field, message}]`. */
export class Problem extends Error {
  constructor(status, body) {
    const fields = (body?.errors ?? []).map((error) =>
      error.field ? `${error.field}: ${error.message}` : error.message,
    );
    super(fields.join(" ") || body?.detail || body?.title || `The server answered ${status}.`);
    this.status = status;
    this.errors = body?.errors ?? [];
  }
}

function csrf() {
  return document.querySelector("meta[name=csrf-token]")?.content ?? "";
}

/** The response of the server. A refusal throws a Problem, a network failure a TypeError. */
async function request(path, { method = "GET", body, params = {}, signal, accept = "application/json" } = {}) {
  const query = new URLSearchParams(
    Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
  const address = path.startsWith("/") || path.startsWith("http") ? path : `${ROOT}/${path}`;
  const headers = { Accept: accept };
  if (method !== "GET") headers["X-CSRFToken"] = csrf();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(at(query.size ? `${address}?${query}` : address), {
    method,
    headers,
    signal,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Problem(response.status, parsed(await response.text()));
  return response;
}

/** The JSON of an answer. The method is GET by default, and `params` that are null or "" are left out. */
export async function api(path, options = {}) {
  const response = await request(path, options);
  return response.status === 204 ? null : parsed(await response.text());
}

/** The typed columns of an answer: `{header, ...arrays by name}`. */
export async function columns(path, options = {}) {
  const response = await request(path, { ...options, accept: "*/*" });
  return unpack(await response.arrayBuffer());
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null; // an error page instead of JSON; the status is enough
  }
}
