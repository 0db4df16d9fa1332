/* What can be an axis of the scatter plot: costs, of which less is better, and scores, of which more is. */
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

/** Which way a staircase through the front runs, for ECharts' `step`. */
export const staircase = (x) => (isScore(x) ? "start" : "end");
