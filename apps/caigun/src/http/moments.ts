const bareDate = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const dateAndTime =
  /^(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/**
 * Reads a time as clients write it: `2023-11-06`, `1970-1-1`, or with a time of day, with or without an offset from UTC
 * (without one it is UTC). A bare date is its first or last millisecond, as `edge` says. Undefined where it is no time.
 */
export function parseMoment(text: string, edge: "start" | "end"): Date | undefined {
  const trimmed = text.trim();
  const date = bareDate.exec(trimmed);
  if (date) {
    const midnight = utc(Number(date[1]), Number(date[2]), Number(date[3]));
    if (midnight === undefined) return undefined;
    return new Date(edge === "start" ? midnight : midnight + 86_400_000 - 1);
  }
  const parts = dateAndTime.exec(trimmed);
  if (!parts) return undefined;
  const midnight = utc(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  const [hours, minutes, seconds] = [Number(parts[4]), Number(parts[5]), Number(parts[6] ?? 0)];
  if (midnight === undefined || hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const milliseconds = Number((parts[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const offset = offsetMinutes(parts[8]);
  if (offset === undefined) return undefined;
  return new Date(midnight + ((hours * 60 + minutes - offset) * 60 + seconds) * 1000 + milliseconds);
}

/** Undefined for a day that the calendar does not have. */
function utc(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

function offsetMinutes(offset: string | undefined): number | undefined {
  if (offset === undefined || offset.toUpperCase() === "Z") return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(":", "") || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
