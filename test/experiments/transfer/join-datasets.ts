import type { Dataset } from "@duchenne/data";

/** Data sets of the same action units as one: frames in turn, subjects of all. */
export function joinDatasets(datasets: readonly Dataset[]): Dataset {
  const [first] = datasets;
  const subjects = datasets.flatMap((dataset, which) => dataset.subjects.map((subject) => `${which}/${subject}`));
  let before = 0;
  const samples = datasets.flatMap((dataset, which) => {
    const own = dataset.samples.map((sample) => ({
      ...sample,
      subject: `${which}/${sample.subject}`,
      subjectIndex: before + sample.subjectIndex,
    }));
    before += dataset.subjects.length;
    return own;
  });
  const { folds: _, ...shared } = first!;
  return { ...shared, name: datasets.map(({ name }) => name).join(" + "), subjects, samples };
}
