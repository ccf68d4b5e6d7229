import { type Api, call } from "./api.ts";
import { CommandFailed, exitCodes } from "./failures.ts";

const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id of the chatbot's one model whose id begins so. A whole id is left to the server, which knows deleted ones too. */
export async function modelIdOf(api: Api, given: string): Promise<string> {
  if (WHOLE_ID.test(given)) return given;
  const { models } = await call(api, "listModels");
  const found = given === "" ? [] : models.filter(({ id }) => id.startsWith(given.toLowerCase()));
  if (found.length === 1) return found[0]!.id;
  throw new CommandFailed(
    found.length === 0
      ? `The chatbot has no model whose id begins with "${given}"; \`npx caigun models\` shows them.`
      : `Several models' ids begin with "${given}": ${found.map(({ id }) => id).join(", ")}. Write more of it.`,
    exitCodes.refused,
  );
}
