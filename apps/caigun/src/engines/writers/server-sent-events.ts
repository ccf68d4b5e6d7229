import { WriterFailure } from "./writer.ts";

/** Of one event, UTF-16 units: no piece of a reply is as long. */
const LONGEST_EVENT = 1024 * 1024;

/**
 * The data of each event of a stream of server-sent events (WHATWG HTML, 9.2.6); the other fields mean nothing here. An
 * event that no blank line ends is not given.
 */
export async function* eventData(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    for (;;) {
      // A carriage return at the end may be the first half of a line end.
      const end = /\r\n|\n|\r(?!$)/.exec(rest);
      if (!end) break;
      const line = rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
      if (line === "") {
        if (data.length > 0) yield data.join("\n");
        data = [];
        length = 0;
      } else if (line === "data" || line.startsWith("data:")) {
        const value = line.slice(5).replace(/^ /, "");
        data.push(value);
        // With the line end that joins it to the next: empty lines take memory too.
        length += value.length + 1;
      }
    }
    if (rest.length + length > LONGEST_EVENT)
      throw new WriterFailure("garbled", "The writer's server sent an event without an end.");
  }
}
