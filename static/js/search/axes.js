/* The axes that the scatter plot can have: costs, where less is better, and scores, where more is better. */
import { METRICS } from "../core/format.js";

export const SCORES = {
  score: { name: "Score", axis: "Score (higher is better)" },
  final_score: { name: "Final score", axis: "Final score of the finalists" },
  truth: { name: "Truth", axis: "Truth from the table (not searched on)" },
  valid_accuracy: { name: "Validation accuracy", axis: "Validation accuracy (%)" },
  trained_valid_accuracy: { name: "Trained validation accuracy", axis: "Validation accuracy after full training (%)" },
  trained_test_accuracy: { name: "Trained test accuracy", axis: "Test accuracy after full training (%)" },
};
export const AXES = { ...METRICS, seconds: { name: "Seconds", unit: "s", axis: "Seconds of the trial" }, ...SCORES };

export const isScore = (name) => name in SCORES;

/** The direction of the steps of a line through the front, as ECharts' `step` names it. */
export const staircase = (x) => (isScore(x) ? "start" : "end");
