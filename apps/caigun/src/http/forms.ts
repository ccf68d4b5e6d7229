import { isUtf8 } from "node:buffer";
import { Problem } from "@caigun/contract";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";

const maxFields = 100;

/** The fields of a form that is in memory; of fields with the same name the last one counts. Throws `malformed_form`. */
export async function readForm(
  bytes: Buffer,
  contentType: string,
  kind: "multipart" | "urlencoded",
): Promise<{ from: "form"; value: Record<string, string> }> {
  if (!isUtf8(bytes)) throw new Problem("malformed_form", "The form is not valid UTF-8. Encode its fields as UTF-8.");
  if (kind === "urlencoded") return { from: "form", value: readUrlEncoded(bytes) };
  return { from: "form", value: await readMultipart(bytes, contentType) };
}

function readUrlEncoded(bytes: Buffer): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  // Counted before they are read, for millions of empty fields would fill the memory.
  let separators = 0;
  for (let at = bytes.indexOf("&"); at >= 0; at = bytes.indexOf("&", at + 1)) {
    separators += 1;
    if (separators >= maxFields) throw tooManyFields();
  }
  for (const [name, value] of new URLSearchParams(bytes.toString("utf8"))) fields[name] = value;
  return fields;
}

function readMultipart(bytes: Buffer, contentType: string): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const refuse = (detail?: string) => reject(new Problem("malformed_form", detail));
    let parser: InstanceType<typeof Busboy>;
    try {
      parser = new Busboy({
        headers: { "content-type": contentType } as BusboyHeaders,
        limits: { fields: maxFields, fieldSize: bytes.length, fieldNameSize: 255, files: 1, parts: maxFields },
      });
    } catch {
      refuse();
      return;
    }
    const fields: Record<string, string> = Object.create(null);
    parser.on("field", (name, value) => {
      fields[name] = value;
    });
    parser.on("file", (name, stream) => {
      stream.resume();
      refuse(
        `The field ${JSON.stringify(name.slice(0, 100))} was sent as a file. Send it as a form field, without a filename.`,
      );
    });
    parser.on("fieldsLimit", () => reject(tooManyFields()));
    parser.on("partsLimit", () => reject(tooManyFields()));
    parser.on("error", () => refuse());
    parser.on("finish", () => resolve(fields));
    parser.end(bytes);
  });
}

function tooManyFields(): Problem {
  return new Problem("malformed_form", `The form has more than ${maxFields} fields. Send fewer.`);
}
