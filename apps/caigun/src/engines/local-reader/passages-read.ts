/** How many passages the reader is given: the five best, which hold the answer in 98 % of the measured questions. */
export const PASSAGES_READ = 5;

/** Where only words speak, some more are searched for: they tell how much any passage holds of the question by chance. */
export const PASSAGES_COMPARED = 8;
