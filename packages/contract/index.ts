export * from "./conversations.ts";
export * from "./fields.ts";
export * from "./models.ts";
export * from "./openapi.ts";
export * from "./problems.ts";
export * from "./routes.ts";
export * from "./settings.ts";
export * from "./unanswered.ts";
