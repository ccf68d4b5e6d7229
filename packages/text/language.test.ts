import assert from "node:assert/strict";
import { test } from "node:test";
import { detectLanguage } from "./index.ts";

const TEXTS: Record<string, string> = {
  en: "How long do I have to return an article that I bought?",
  de: "Wie lange kann ich einen Artikel nach dem Kauf zurückgeben?",
  es: "¿Cuánto tiempo tengo para devolver un artículo que compré?",
  fr: "Combien de temps ai-je pour retourner un article acheté ?",
  ru: "Сколько у меня времени, чтобы вернуть товар?",
  zh: "iPhone 的保固期有多長？",
  ja: "返品はいつまでできますか？",
  ko: "환불은 며칠 안에 해야 하나요?",
  th: "ฉันสามารถคืนสินค้าได้ภายในกี่วัน",
  el: "Πόσο χρόνο έχω για να επιστρέψω ένα προϊόν;",
  he: "כמה זמן יש לי להחזיר מוצר?",
  ar: "كم من الوقت لدي لإعادة المنتج الذي اشتريته؟",
};

for (const [language, text] of Object.entries(TEXTS)) {
  test(`tells ${language}`, () => assert.equal(detectLanguage(text), language));
}

test("says und where there are no letters", () => assert.equal(detectLanguage("12345 !?"), "und"));

test("keeps to the languages it may choose from", () => {
  assert.equal(detectLanguage("password reset", { among: ["de", "en"] }), "en");
  assert.equal(detectLanguage("anything", { among: ["fr"] }), "fr");
  assert.equal(detectLanguage("123", { among: ["fr", "en"] }), "fr");
});

test("leans on the language of the text where a question is too short to tell", () => {
  assert.equal(detectLanguage("Which planet?", { unsure: "en" }), "en");
  assert.equal(detectLanguage("Wo ist das?", { unsure: "en" }), "de");
  assert.equal(detectLanguage("What is the capital of France?", { unsure: "zh" }), "en");
  assert.equal(detectLanguage("???", { unsure: "th" }), "th");
  assert.equal(detectLanguage("Do teachers get a discount?", { unsure: "en" }), "en");
  assert.equal(detectLanguage("Quelle est la hauteur du Kilimandjaro ?", { unsure: "en" }), "fr");
  assert.equal(detectLanguage("Qual é a senha do wifi?", { unsure: "en" }), "pt");
  assert.equal(detectLanguage("Is there a place to leave my luggage?", { unsure: "de" }), "en");
});

test("no typo makes a question one of another language than the text", () => {
  const questions = [
    ...["Whre can I park my bycicle?", "Wehn do you open on Sundays?", "How much does it csot?", "cna i brign my dgo"],
    ...["Can I cancel my cxourse?", "Is thexre a shower?", "Do you hvae parknig?", "Waht deos a helmet csot?"],
    ...["Can cjildren clomb?", "Whhich daays are you cllosed?", "Do you swll goft csrds?", "waht time do yuo opne"],
    ...["Whhat is the priice of a day paass?", "Wxhat dxoes a hxelmet cxost?", "How do I get thexre?"],
  ];
  for (const question of questions) assert.equal(detectLanguage(question, { unsure: "en" }), "en", question);
});

test("a short question of another language than the text keeps its own", () => {
  const questions = {
    de: "Kann ich mein Fahrrad abstellen?",
    fr: "Puis-je annuler mon cours ?",
    es: "¿Cuánto cuesta?",
    nl: "Mag mijn hond mee?",
    pl: "Czy macie buty?",
    pt: "Onde fica o banheiro?",
    tr: "Kursumu iptal edebilir miyim?",
    fi: "Saanko tuoda koirani?",
    ru: "Где туалет?",
  };
  for (const [language, question] of Object.entries(questions))
    assert.equal(detectLanguage(question, { unsure: "en" }), language, question);
});

test("takes no table for a language that writes bars", () => {
  const table =
    "Bicycle | Half day | Full day\nCity bicycle | 12 euros | 18 euros\nTandem | 22 euros | 34 euros\n\nA half day is four hours.";
  assert.equal(detectLanguage(table), "en");
});
