console.error("caigun: no command is built yet");
process.exitCode = 1;
