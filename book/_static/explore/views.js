// The three kinds of view of the page "Explore", each drawn from the explorer's state: see explorer.js.
// The book loads its scripts in any order, so what another one defines is named within functions only.
const exploreViews = (() => {
  "use strict";

  // Both runs' modules in forward order at the chosen epoch: A filled, B hollow.
  function drawModules(plot, state) {
    const { add, ticks, wholeTicks } = explorePlot;
    const x = [0.4, state.modules + 0.6];
    plot.begin({
      title: `${state.kind.title} at epoch ${state.epoch}. Drag over modules to follow them in every view.`,
      x,
      y: state.range,
      xLabel: `${state.kind.module}, from input to output`,
      yLabel: state.kind.label,
      xTicks: wholeTicks(x, 8),
      yTicks: ticks(state.range, 5),
    });
    if (state.isBrushed) {
      const [left, right] = [plot.x(state.from - 0.5), plot.x(state.to + 0.5)];
      const box = { x: left, y: plot.top, width: right - left, height: plot.bottom - plot.top };
      add(plot.svg, "rect", { ...box, class: "explorer-brush" });
    }
    state.runs.forEach((run, side) =>
      run.values.forEach((value, i) => {
        if (value === null) return;
        const hot = state.isHot(i);
        const place = { cx: plot.x(i + 1 + (side ? 0.15 : -0.15)), cy: plot.y(value) };
        const look = { r: hot && state.isChosen ? 5 : 3.5, stroke: run.colour, "stroke-width": 1.6 };
        const fill = { fill: side ? "none" : run.colour, opacity: hot ? 1 : 0.2 };
        add(plot.svg, "circle", { ...place, ...look, ...fill, "data-side": side });
      }),
    );
  }

  // One run's modules over the epochs; what stands out is drawn last, above the others.
  function drawCourses(plot, state, side) {
    const { add, ticks, wholeTicks } = explorePlot;
    const run = state.runs[side];
    const x = [0, Math.max(1, state.epochs)];
    plot.begin({
      title: `${"AB"[side]}: ${run.setting}, over the epochs`,
      x,
      y: state.range,
      xLabel: "Epoch",
      yLabel: state.kind.label,
      xTicks: wholeTicks(x, 6),
      yTicks: ticks(state.range, 5),
    });
    const now = plot.x(state.epoch);
    add(plot.svg, "line", { x1: now, x2: now, y1: plot.top, y2: plot.bottom, class: "explorer-now" });
    const modules = run.values.map((_, i) => i).sort((a, b) => state.isHot(a) - state.isHot(b));
    for (const i of modules) {
      const points = run.course.epochs
        .map((epoch, row) => [epoch, run.course.values[row][i]])
        .filter(([, value]) => value !== null)
        .map(([epoch, value]) => `${plot.x(epoch).toFixed(1)},${plot.y(value).toFixed(1)}`);
      const chosen = state.isChosen ? { opacity: 1, "stroke-width": 2 } : { opacity: 0.75 };
      const look = state.isHot(i) ? chosen : { opacity: 0.12 };
      add(plot.svg, "polyline", { points: points.join(" "), fill: "none", stroke: run.colour, ...look });
    }
  }

  // How many modules have which value at the chosen epoch; the bars of what stands out are darker.
  function drawHistogram(plot, state) {
    const { add, clamp, ticks, wholeTicks } = explorePlot;
    const counts = state.runs.map((run) => {
      const bins = Array.from({ length: state.bins }, () => ({ all: 0, hot: 0 }));
      run.values.forEach((value, i) => {
        if (value === null) return;
        const bin = bins[clamp(state.bin(value), 0, state.bins - 1)];
        bin.all += 1;
        bin.hot += state.isHot(i);
      });
      return bins;
    });
    const most = Math.max(1, ...counts.flat().map((bin) => bin.all));
    plot.begin({
      title: `Histogram of both runs at epoch ${state.epoch}`,
      x: state.range,
      y: [0, most * 1.05],
      xLabel: state.kind.label,
      yLabel: "Modules",
      xTicks: ticks(state.range, 8),
      yTicks: wholeTicks([0, most], 4),
    });
    const [low, high] = state.range;
    const step = (high - low) / state.bins;
    const width = (plot.x(low + step) - plot.x(low)) / 2 - 1;
    counts.forEach((bins, side) =>
      bins.forEach((bin, i) => {
        const [x, colour] = [plot.x(low + i * step) + 1 + side * width, state.runs[side].colour];
        for (const [count, look] of [
          [bin.all, { fill: side ? "none" : colour, "fill-opacity": 0.25, stroke: colour, "data-side": side }],
          [bin.hot, { fill: colour, "fill-opacity": side ? 0.35 : 1 }],
        ]) {
          const box = { x, y: plot.y(count), width, height: plot.bottom - plot.y(count) };
          if (count) add(plot.svg, "rect", { ...box, ...look });
        }
      }),
    );
  }

  return { drawModules, drawCourses, drawHistogram };
})();
