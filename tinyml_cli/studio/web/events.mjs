// What happens in the studio, from one event stream for the whole page.

const handlers = new Map();
let source = null;

function open() {
  source = new EventSource("/api/events");
  // Whatever happened before, or while the line was cut, is read anew.
  source.onopen = () => tell({ event: "reset" });
  source.onmessage = ({ data }) => tell(JSON.parse(data));
}

function tell(event) {
  for (const each of [...handlers.keys()]) {
    if (event.event === "reset" || handlers.get(each) === event.event) each(event);
  }
}

// Calls `handle` with each event of a kind, and with { event: "reset" } when state has to be read anew.
// Returns what ends it.
export function listen(kind, handle) {
  handlers.set(handle, kind);
  if (source === null) open();
  return () => handlers.delete(handle);
}
