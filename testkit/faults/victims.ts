/** What is killed. Of the database: the process that started it, or one that serves a connection. */
export const victims = ["server", "worker", "child", "postmaster", "backend"] as const;
export type Victim = (typeof victims)[number];
