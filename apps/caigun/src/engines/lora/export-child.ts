import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { exportGgufModel, exportPeft, readGgufAdapter } from "@caigun/lora";
import { serveParent } from "../../children/serve-parent.ts";
import type { ExportRequest } from "./export-messages.ts";
import { openCheckedBase } from "./open-checked-base.ts";
import { writeStoredZip } from "./stored-zip.ts";

/** The process that makes a file for other programs of a stored adapter and its base. */
serveParent(async (message) => {
  const { format, base: chosen, adapter: path, folder, target, facts } = message as ExportRequest;
  const base = await openCheckedBase(chosen);
  try {
    const adapter = readGgufAdapter(path, base);
    if (format === "merged-gguf") return await exportGgufModel(base, target, { adapter, name: facts.title });
    const unpacked = join(folder, "peft");
    await exportPeft(adapter, unpacked, facts);
    const names = (await readdir(unpacked)).sort();
    await writeStoredZip(
      target,
      names.map((name) => ({ name, path: join(unpacked, name) })),
    );
  } finally {
    base.close();
  }
});
