import { detectLanguage, isSimplified, isTraditional } from "@caigun/text";

// What a person reads when the text does not hold the answer, in the language of the question.
export const refusals: Record<string, string> = {
  ar: "لم أجد إجابة عن ذلك في النص الذي تعلمت منه.",
  cs: "Odpověď na to jsem v textu, ze kterého vycházím, nenašel.",
  da: "Det finder jeg ikke svar på i den tekst, jeg kender.",
  de: "Dazu finde ich in dem Text, den ich kenne, keine Antwort.",
  el: "Δεν βρίσκω απάντηση σε αυτό στο κείμενο που γνωρίζω.",
  en: "I can't find an answer to that in the text I was trained on.",
  es: "No encuentro una respuesta a eso en el texto que conozco.",
  fi: "En löydä siihen vastausta tuntemastani tekstistä.",
  fr: "Je ne trouve pas de réponse à cela dans le texte que je connais.",
  he: "לא מצאתי לכך תשובה בטקסט שאני מכיר.",
  hi: "मुझे जो पाठ दिया गया है, उसमें इसका उत्तर नहीं मिला।",
  hu: "Erre nem találok választ az általam ismert szövegben.",
  id: "Saya tidak menemukan jawabannya dalam teks yang saya ketahui.",
  it: "Non trovo una risposta a questo nel testo che conosco.",
  ja: "学習したテキストの中に、その答えは見つかりませんでした。",
  ko: "학습한 글에서 그에 대한 답을 찾지 못했습니다.",
  nl: "Daar vind ik geen antwoord op in de tekst die ik ken.",
  no: "Det finner jeg ikke svar på i teksten jeg kjenner.",
  pl: "Nie znajduję na to odpowiedzi w tekście, który znam.",
  pt: "Não encontro resposta para isso no texto que conheço.",
  ro: "Nu găsesc un răspuns la aceasta în textul pe care îl cunosc.",
  ru: "В известном мне тексте нет ответа на этот вопрос.",
  sv: "Det hittar jag inget svar på i texten jag känner till.",
  th: "ไม่พบคำตอบของเรื่องนี้ในข้อความที่ได้เรียนรู้มา",
  tr: "Bildiğim metinde bunun cevabını bulamadım.",
  uk: "У відомому мені тексті немає відповіді на це запитання.",
  vi: "Tôi không tìm thấy câu trả lời cho điều đó trong văn bản mà tôi biết.",
  zh: "在我学习过的文本中没有找到这个问题的答案。",
  "zh-Hant": "在我學習過的文本中沒有找到這個問題的答案。",
};

/**
 * A sentence that says the text does not hold the answer: in the question's language where one is written, else in
 * English. A question too short to tell its language gets the language of the text, and one that Traditional and
 * Simplified Chinese write alike the characters of the text, of which `sample` is a part.
 */
export function refusalFor(question: string, languageOfText: string, sample = ""): string {
  const language = detectLanguage(question, { unsure: languageOfText });
  const asTraditional = isTraditional(question) || (!isSimplified(question) && isTraditional(sample));
  const refusal = refusals[language === "zh" && asTraditional ? "zh-Hant" : language] ?? refusals.en!;
  // A word in Latin letters asked of a Chinese text tells no language, but it does tell that it isn't Chinese.
  const letters = /\p{L}/u.test(question);
  return letters && isLatin(question) !== isLatin(refusal) ? refusals.en! : refusal;
}

const isLatin = (text: string) => !/[^\P{L}\p{Script=Latin}]/u.test(text);
