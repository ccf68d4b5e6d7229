// How texts mark a question and its answer: "Q:", "A1.", "問：", "Pregunta 3)". Lower case; full-width marks are folded before.
const QUESTION_WORDS =
  "q|qn|question|faq|问|問|问题|問題|提问|提問|質問|질문|문|pregunta|p|frage|f|domanda|d|pergunta|вопрос|в|câu hỏi|hỏi|คำถาม|ถาม|سؤال|س|प्रश्न|soru|vraag|pytanie";
const ANSWER_WORDS =
  "a|ans|answer|答|答案|回答|解答|답변|답|respuesta|r|antwort|réponse|risposta|resposta|ответ|о|đáp|trả lời|คำตอบ|ตอบ|جواب|ج|उत्तर|cevap|antwoord|odpowiedź";

const QUESTION = new RegExp(
  `^\\s*(?:[#*\\-]+(?:\\s+\\**)?)?(?:${QUESTION_WORDS})\\s*\\p{Nd}{0,3}\\**\\s*[:：.)、]\\**\\s*(?=\\S)`,
  "iu",
);
const ANSWER = new RegExp(
  `^\\s*(?:[*\\-]+(?:\\s+\\**)?)?(?:${ANSWER_WORDS})\\s*\\p{Nd}{0,3}\\**\\s*[:：.)、]\\**\\s*(?=\\S)`,
  "iu",
);
const ASKS = /[?？؟;]["'”’」』)）*]*\s*$/u;

// Marks stand at the beginning of a line; looking no further keeps long lines of asterisks cheap.
const BEGINNING = 100;

export function isQuestion(line: string): boolean {
  const mark = QUESTION.exec(line.slice(0, BEGINNING));
  // "A." and "D." also letter a list; a colon marks a question by itself, other marks need the question mark.
  return mark !== null && (/[:：]/u.test(mark[0]) || asks(line));
}

export function isAnswer(line: string): boolean {
  const mark = ANSWER.exec(line.slice(0, BEGINNING));
  return mark !== null && /[:：]/u.test(mark[0]);
}

export function asks(line: string): boolean {
  return ASKS.test(line.slice(-BEGINNING));
}

/** The length of the mark ("Q: ") that a question or answer begins with. */
export function markLength(line: string): number {
  const beginning = line.slice(0, BEGINNING);
  return (QUESTION.exec(beginning) ?? ANSWER.exec(beginning))?.[0].length ?? 0;
}
