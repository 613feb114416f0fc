"use strict";

/* Moments and lengths of time, in nanoseconds, as people read them. */

/** A length of time as every report of Grenadier writes it. */
function lengthText(ns) {
  const scaled = (unit, name) => {
    const text = (Math.floor(ns * 1000 / unit) / 1000).toFixed(3).replace(/\.?0+$/, "");
    return text + name;
  };
  if (ns === 0) return "0s";
  if (ns < 1e3) return ns + "ns";
  if (ns < 1e6) return scaled(1e3, "µs");
  if (ns < 1e9) return scaled(1e6, "ms");
  if (ns < 60e9) return scaled(1e9, "s");
  const seconds = Math.floor(ns / 1e9), two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}h${two(m)}m${two(s)}s` : `${m}m${two(s)}s`;
}

/** A moment, in minutes and seconds with `digits` behind the point. */
function momentText(ns, digits) {
  const negative = ns < 0, all = Math.abs(ns) / 1e9;
  const whole = Math.floor(all / 60 + 1e-12), seconds = Math.max(0, all - whole * 60);
  const [hours, minutes] = [Math.floor(whole / 60), whole % 60];
  const padded = seconds.toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, "0");
  const text = hours > 0 ? `${hours}h${String(minutes).padStart(2, "0")}m${padded}s`
    : minutes > 0 ? `${minutes}m${padded}s`
    : `${seconds.toFixed(digits)}s`;
  return (negative ? "−" : "") + text;
}

/** The step between two marks of the axis: 1, 2 or 5 times a power of ten, or a fraction of an hour. */
function axisStep(least) {
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].map((m) => m * 60e9);
  const below = [1, 2, 5, 10, 15, 30].map((s) => s * 1e9);
  if (least >= 1e9) return [...below, ...minutes].find((step) => step >= least) || least;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least);
}
