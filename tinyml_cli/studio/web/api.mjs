// Requests to the studio; what it refuses is thrown as an Error with its text and status.

export class Refused extends Error {
  constructor(status, { what, next_step: next }) {
    super(next ? `${what}. ${next}` : what);
    this.status = status;
  }
}

// It was ended, or killed: requests, modules and worklets fail alike.
export const unanswered = () => new Refused(0, { what: "The studio does not answer", next_step: "Is `tinyml studio` still running?" });

async function answered(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw unanswered();
  }
  if (response.ok) return response;
  let error = { what: `The studio answered ${response.status}` };
  try {
    error = (await response.json()).error;
  } catch {
    // not from the studio's own code
  }
  throw new Refused(response.status, error);
}

export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

export const get = async (path, query) => (await answered(fetch(address(path, query)))).json();

export const getBytes = async (path, query) => (await answered(fetch(address(path, query)))).arrayBuffer();

export async function post(path, body = {}) {
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return (await answered(fetch(path, options))).json();
}

export async function upload(path, query, blob) {
  return (await answered(fetch(address(path, query), { method: "POST", body: blob }))).json();
}

export async function enter(secret) {
  return (await answered(fetch("/api/enter", { method: "POST", body: secret }))).json();
}
