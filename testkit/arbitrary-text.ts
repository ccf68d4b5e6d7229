import fc from "fast-check";

/** Text as the world sends it, for property tests: every script's difficulties side by side. */
const PIECES = [
  "The refund takes 30 days.",
  "Dr. Smith arrived at 5 p.m. He left.",
  "退款需要三十天。",
  "退款期限為三十天！",
  "ありがとう。",
  "ｶﾞｷﾞ半角",
  "환불은 30일 이내에 가능합니다.",
  "\u1112\u1161\u11ab\u1100\u1173\u11af",
  "مرحبا بالعالم؟",
  "שלום עולם.",
  "e\u0301le\u0300ve",
  "\u0301",
  "ﬁne ﬀ ℀ ㏂ …",
  "Ｆｕｌｌ　ｗｉｄｔｈ．",
  "👩‍👩‍👧‍👦 🇹🇼 👍🏽",
  "𠮷野家 𝒳",
  "\ud800",
  "\udc00x",
  "\u0000",
  "\u0007\u001b",
  "\r\n",
  "\r",
  "\n\n",
  "\u0085\u2028\u2029",
  "\u00a0\u2003\u3000",
  "so\u00adft",
  "\ufeff\u200b\u200e",
  "\u00a8\u00b4",
  "ﷺ",
  "Q: Why?\nA: Because.",
  "問：幾點？\n答：九點。",
  "# Heading\n",
  "- item\n- item\n",
  "1. ____\n2. ____\n",
  "a\tb\nc\td\n",
  "| x | y |\n|---|---|\n",
  "สวัสดีครับ ขอบคุณ",
  "ⅷ ½ x² ①",
  "...",
  "?!",
  "a".repeat(700),
  "，".repeat(3),
  " ",
];

export const arbitraryText: fc.Arbitrary<string> = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...PIECES) }, fc.string({ unit: "binary", maxLength: 8 })), {
    maxLength: 24,
  })
  .map((pieces) => pieces.join(""));
