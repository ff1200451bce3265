#include "report/page/assets.h"

namespace hone::page {

std::string_view script() {
  return R"js(
'use strict';
// Each svg says in data-x: first and last step, and their places; each line in data-p: "step value step value …".
for (const figure of document.querySelectorAll('.chart')) {
  const svg = figure.querySelector('svg'), cursor = svg.querySelector('.cursor'), step = figure.querySelector('output');
  const [low, high, left, right] = svg.dataset.x.split(' ').map(Number);
  const shown = [...figure.querySelectorAll('.legend b')];
  const before = shown.map(value => value.textContent), beforeStep = step.textContent;
  let lines;
  const read = () => shown.map((_, i) => {
    // Drawn from the last line to the first, so that the first lies on top.
    const paths = svg.querySelectorAll('[data-p]');
    return (paths[paths.length - 1 - i].dataset.p || '').split(' ').map(Number);
  });
  const nearest = (points, at) => {
    let a = 0, b = points.length / 2 - 1;
    while (b - a > 1) {
      const middle = (a + b) >> 1;
      if (points[2 * middle] <= at) a = middle; else b = middle;
    }
    return Math.abs(points[2 * a] - at) <= Math.abs(points[2 * b] - at) ? a : b;
  };
  const format = value => Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(value);
  const show = event => {
    lines = lines || read();
    const box = svg.getBoundingClientRect();
    const at = low + (high - low) * ((event.clientX - box.left) / box.width * svg.viewBox.baseVal.width - left) / (right - left);
    let found = null;
    for (const points of lines) {
      if (points.length < 2) continue;
      const candidate = points[2 * nearest(points, at)];
      if (found === null || Math.abs(candidate - at) < Math.abs(found - at)) found = candidate;
    }
    if (found === null) return;
    lines.forEach((points, i) => {
      if (points.length >= 2) shown[i].textContent = format(points[2 * nearest(points, found) + 1]);
    });
    step.textContent = 'step ' + found.toLocaleString('en-US');
    cursor.setAttribute('transform', `translate(${left + (right - left) * (found - low) / (high - low)} 0)`);
    svg.classList.add('read');
  };
  const leave = () => {
    shown.forEach((value, i) => { value.textContent = before[i]; });
    step.textContent = beforeStep;
    svg.classList.remove('read');
  };
  svg.addEventListener('pointermove', show);
  svg.addEventListener('pointerdown', show);
  svg.addEventListener('pointerleave', leave);
}
document.documentElement.dataset.ready = '1';
)js";
}

}  // namespace hone::page
