/** A command as it is printed for a person to type next: where a key chose the chatbot, the next command needs it too. */
export function hint(command: string, apiKey: string | undefined): string {
  return `\`npx caigun ${command}\`${apiKey ? " (with the same --api-key)" : ""}`;
}
