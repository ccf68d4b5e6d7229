/** What `produce` pushes, as it comes; ends as its promise does. After the last reader has gone, a push does nothing. */
export function pushed(produce: (push: (piece: string) => void) => Promise<unknown>): AsyncIterable<string> {
  let isOpen = true;
  return new ReadableStream<string>({
    start(controller) {
      const once = (end: () => void) => {
        if (isOpen) end();
        isOpen = false;
      };
      produce((piece) => {
        if (isOpen) controller.enqueue(piece);
      }).then(
        () => once(() => controller.close()),
        (error: unknown) => once(() => controller.error(error)),
      );
    },
    cancel() {
      isOpen = false;
    },
  });
}
