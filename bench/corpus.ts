/** A text of many short passages about made-up places, and questions that each have one answer in it. */
export type Corpus = { text: string; questions: Question[] };
/** `start` and `end`: the sentence of the text that holds the answer. All of it is ASCII: bytes, UTF-16 units and code points are the same. */
export type Question = { question: string; answer: string; start: number; end: number };

const firstNames =
  "Amber Birch Cedar Dover Elm Falcon Garnet Hazel Ivory Juniper Kestrel Linden Maple North Olive Pearl Quarry Raven Silver Thistle Umber Violet Willow Yarrow Zephyr".split(
    " ",
  );
const secondNames =
  "Bridge Court Dale Field Gate Grove Harbour Hill House Lake Lane Mill Park Point Quay Road Square Street Terrace Vale Walk Wharf Wood Yard".split(
    " ",
  );
const kinds =
  "library museum clinic workshop bakery theatre station school market garage hotel gallery laboratory kitchen nursery archive cinema pharmacy garden stadium".split(
    " ",
  );
const towns =
  "Ashford Bramley Carrow Denby Eltham Farley Gorton Hexham Ilkley Jarrow Kendal Leyton Marlow Norwood Otley Penrith Romsey Selby Thirsk Upton Wexley Yarm".split(
    " ",
  );
const days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
const people =
  "Adler Brandt Castro Dietz Ekman Fuchs Garza Hansen Ivanov Jensen Keller Lopez Moreau Novak Okafor Peters Quinn Rossi Silva Tanaka Ueda Vargas Weber Xu Young Zeller".split(
    " ",
  );
const things =
  "bicycle rack, reading room, roof terrace, coffee bar, ticket desk, lost property office, rehearsal stage, water fountain, seed bank, glass lift".split(
    ", ",
  );

const PARAGRAPH_BREAK = "\n\n";

/** Numbers that look random and are the same every time. Source: mulberry32, public domain. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** As many passages as asked for, some 700 characters each; every question is different. */
export function makeCorpus(passages: number, seed = 1): Corpus {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = (list: readonly string[]) => list[below(list.length)]!;
  const paragraphs: string[] = [];
  let length = 0;
  const questions: Corpus["questions"] = [];
  for (let number = 0; number < passages; number++) {
    // The running number keeps names apart when the combinations are used up.
    const name = `${pick(firstNames)} ${pick(secondNames)} ${pick(kinds)} ${number + 1}`;
    const [year, price, seats, hour] = [1850 + below(170), 2 + below(90), 20 + below(900), 7 + below(5)];
    const [manager, closed, thing, town] = [pick(people), pick(days), pick(things), pick(towns)];
    const sentences = {
      founded: `The ${name} stands in ${town}, not far from the old ${pick(kinds)}. It was founded in ${year} by a family from ${pick(towns)}, and has been rebuilt twice since. `,
      led: `The ${name} is led by ${manager}, who came from the ${pick(kinds)} of ${pick(towns)} some years ago. `,
      price: `A visit to the ${name} costs ${price} euros, and children pay half of that. `,
      hours: `On ${closed} it stays closed, because the whole staff meets for training; on all other days the doors of the ${name} open at ${hour} in the morning. `,
      seats: `There are ${seats} seats at the ${name}, most of them near the ${thing}. `,
      memory: `People say that the ${pick(things)} is what they remember best, and that the ${pick(people)} family still comes every ${pick(days)}.`,
    };
    const paragraph = Object.values(sentences).join("");
    const ask = (question: string, answer: string, sentence: string) => {
      const start = length + paragraph.indexOf(sentence);
      questions.push({ question, answer, start, end: start + sentence.trimEnd().length });
    };
    ask(`Who leads the ${name}?`, manager, sentences.led);
    ask(`When was the ${name} founded?`, String(year), sentences.founded);
    ask(`How much does a visit to the ${name} cost?`, `${price} euros`, sentences.price);
    ask(`How many seats are there at the ${name}?`, String(seats), sentences.seats);
    paragraphs.push(paragraph);
    length += paragraph.length + PARAGRAPH_BREAK.length;
  }
  return { text: paragraphs.join(PARAGRAPH_BREAK), questions: shuffled(questions, random) };
}

function shuffled<Item>(list: Item[], random: () => number): Item[] {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [list[last], list[other]] = [list[other]!, list[last]!];
  }
  return list;
}
