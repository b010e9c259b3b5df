import { createRandom } from "../random.ts";
import type { SyntheticFrame } from "./frame.ts";
import { SYNTHFACS_ACTION_UNITS, type SyntheticSubject } from "./subject.ts";

/**
 * The drawing of a face as SVG. The face's oval fills the picture but for a margin of 5 % of its box a side, which is
 * the models' crop. Each action unit moves what the FACS manual says it moves: 1 and 2 raise the inner and outer brow
 * and furrow the forehead, 4 lowers and draws the brows together, 12 pulls the lip corners up and out, deepens the
 * nasolabial furrow and lifts the cheeks, 25 parts the lips, 26 drops the jaw, 43 closes the eyes.
 *
 * @param size side of the picture, in pixels
 */
export function drawFace(subject: SyntheticSubject, frame: SyntheticFrame, size: number): string {
  const au = (number: number) => frame.intensities[SYNTHFACS_ACTION_UNITS.indexOf(number)]! / 5;
  const jaw = 5.5 * au(26);
  const [hue, saturation, lightness] = subject.skin;
  const tone = (delta: number, alpha = 1) =>
    `hsla(${hue.toFixed(1)}, ${saturation.toFixed(1)}%, ${Math.min(Math.max(lightness * frame.brightness + delta, 4), 96).toFixed(1)}%, ${alpha})`;
  const x = (value: number) => (50 + value).toFixed(2);
  const y = (value: number) => value.toFixed(2);
  const shiftX = frame.yaw;
  const shiftY = frame.pitch;

  const oval = [
    `M ${x(-subject.cheekWidth)} ${y(42)}`,
    `C ${x(-subject.cheekWidth)} ${y(16)} ${x(-28)} ${y(5)} ${x(0)} ${y(5)}`,
    `C ${x(28)} ${y(5)} ${x(subject.cheekWidth)} ${y(16)} ${x(subject.cheekWidth)} ${y(42)}`,
    `C ${x(subject.cheekWidth)} ${y(66)} ${x(subject.jawWidth)} ${y(83 + jaw * 0.5)} ${x(13)} ${y(93 + jaw * 0.5)}`,
    `Q ${x(0)} ${y(97.5 + jaw * 0.7)} ${x(-13)} ${y(93 + jaw * 0.5)}`,
    `C ${x(-subject.jawWidth)} ${y(83 + jaw * 0.5)} ${x(-subject.cheekWidth)} ${y(66)} ${x(-subject.cheekWidth)} ${y(42)} Z`,
  ].join(" ");

  const body = [
    `<rect width="100" height="100" fill="${subject.background}"/>`,
    `<path d="M 0 100 Q 50 ${y(88)} 100 100 Z" fill="${subject.clothing}"/>`,
    `<path d="M 1 70 C -4 20 12 -4 50 -4 C 88 -4 104 20 99 70 L 92 72 L 8 72 Z" fill="${subject.hair}"/>`,
    `<path d="${oval}" fill="url(#skin)"/>`,
    `<g clip-path="url(#oval)">`,
    stubble(subject, jaw, y, x),
    freckles(subject, tone),
    forehead({ subject, au, tone, x, y, shiftX, shiftY }),
    `</g>`,
    `<g transform="translate(${shiftX.toFixed(2)} ${shiftY.toFixed(2)})">`,
    eye(-1, { subject, frame, au, tone, y }),
    eye(1, { subject, frame, au, tone, y }),
    brow(-1, { subject, au, y }),
    brow(1, { subject, au, y }),
    nose({ subject, tone, x, y }),
    mouth({ subject, au, tone, x, y, jaw }),
    `</g>`,
    hairFront(subject, y),
  ].join("");

  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 100 100"><defs>` +
    `<radialGradient id="skin" cx="${(50 + 22 * frame.light).toFixed(1)}%" cy="38%" r="75%">` +
    `<stop offset="0" stop-color="${tone(5)}"/><stop offset="0.6" stop-color="${tone(0)}"/><stop offset="1" stop-color="${tone(-13)}"/>` +
    `</radialGradient><clipPath id="oval"><path d="${oval}"/></clipPath></defs>` +
    `<g transform="translate(${(50 + frame.offsetX).toFixed(2)} ${(50 + frame.offsetY).toFixed(2)}) rotate(${frame.roll.toFixed(2)}) scale(${frame.scale.toFixed(4)}) translate(-50 -50)">` +
    `<rect x="-20" y="-20" width="140" height="140" fill="${subject.background}"/>${body}</g></svg>`
  );
}

type Tone = (delta: number, alpha?: number) => string;
type Place = (value: number) => string;
type Intensity = (number: number) => number;

function stubble({ stubble: strength }: SyntheticSubject, jaw: number, y: Place, x: Place): string {
  if (strength === 0) return "";
  return `<ellipse cx="${x(0)}" cy="${y(84 + jaw)}" rx="30" ry="19" fill="#1d1a18" opacity="${(strength * 0.6).toFixed(2)}"/>`;
}

function freckles(subject: SyntheticSubject, tone: Tone): string {
  const random = createRandom([subject.name, subject.freckles, "freckles"]);
  let dots = "";
  for (let i = 0; i < subject.freckles; i++) {
    const side = random.uniform() < 0.5 ? -1 : 1;
    const cx = 50 + side * (8 + 20 * random.uniform());
    dots += `<circle cx="${cx.toFixed(1)}" cy="${(52 + 12 * random.uniform()).toFixed(1)}" r="0.6" fill="${tone(-16, 0.7)}"/>`;
  }
  return dots;
}

function forehead({
  subject,
  au,
  tone,
  x,
  y,
  shiftX,
  shiftY,
}: {
  subject: SyntheticSubject;
  au: Intensity;
  tone: Tone;
  x: Place;
  y: Place;
  shiftX: number;
  shiftY: number;
}): string {
  const brow = subject.eyeHeight - subject.browHeight + shiftY;
  const stroke = (opacity: number, width = 0.9) =>
    `fill="none" stroke="${tone(-22)}" stroke-width="${width}" stroke-linecap="round" opacity="${opacity.toFixed(2)}"`;
  let lines = "";
  for (const [i, rise] of [6, 9.5].entries()) {
    const top = brow - rise - 3 * Math.max(au(1), au(2));
    if (au(1) > 0)
      lines += `<path d="M ${x(shiftX - 9)} ${y(top + 1)} Q ${x(shiftX)} ${y(top - 1.4)} ${x(shiftX + 9)} ${y(top + 1)}" ${stroke(0.75 * au(1) * (1 - 0.2 * i))}/>`;
    for (const side of [-1, 1]) {
      if (au(2) > 0)
        lines += `<path d="M ${x(shiftX + side * 12)} ${y(top + 0.6)} Q ${x(shiftX + side * 19)} ${y(top - 2)} ${x(shiftX + side * 26)} ${y(top + 2)}" ${stroke(0.75 * au(2) * (1 - 0.2 * i))}/>`;
    }
  }
  if (au(4) > 0) {
    for (const side of [-1, 1]) {
      lines += `<path d="M ${x(shiftX + side * 2.2)} ${y(brow + 7)} Q ${x(shiftX + side * 1.6)} ${y(brow + 2)} ${x(shiftX + side * 2.6)} ${y(brow - 2)}" ${stroke(0.9 * au(4), 1.1)}/>`;
    }
  }
  return lines;
}

function brow(side: -1 | 1, { subject, au, y }: { subject: SyntheticSubject; au: Intensity; y: Place }): string {
  const base = subject.eyeHeight - subject.browHeight;
  const inner = base - 5.2 * au(1) + 4.2 * au(4);
  const outer = base + subject.browTilt - 5.2 * au(2) + 1.6 * au(4);
  const middle = base - 1.8 - 1.8 * au(1) - 4 * au(2) + 3 * au(4);
  const place = (value: number) => (50 + side * value).toFixed(2);
  const near = 9 - 2.6 * au(4);
  const half = subject.browThickness / 2;
  return (
    `<path d="M ${place(near)} ${y(inner - half)} Q ${place(21)} ${y(middle - half * 1.6)} ${place(33)} ${y(outer)}` +
    ` Q ${place(21)} ${y(middle + half)} ${place(near)} ${y(inner + half)} Z" fill="${subject.hair}" stroke="${subject.hair}" stroke-width="0.5" opacity="0.92"/>`
  );
}

function eye(
  side: -1 | 1,
  {
    subject,
    frame,
    au,
    tone,
    y,
  }: { subject: SyntheticSubject; frame: SyntheticFrame; au: Intensity; tone: Tone; y: Place },
): string {
  const cx = 50 + side * subject.eyeDistance;
  const cy = subject.eyeHeight;
  const open = 1 - au(43);
  // A smile of the whole face narrows the eyes a little from below.
  const upper = subject.eyeOpening * (0.06 + 0.94 * open) * 1.25;
  const lower = subject.eyeOpening * (0.06 + 0.94 * open) * (0.85 - 0.3 * au(12));
  // As the upper lid comes down, the closed lids meet at the lower lid.
  const meet = subject.eyeOpening * 0.7 * (1 - open);
  const left = cx - subject.eyeWidth;
  const right = cx + subject.eyeWidth;
  const shape = `M ${left.toFixed(2)} ${y(cy + meet * 0.5)} Q ${cx.toFixed(2)} ${y(cy - 2 * upper + meet)} ${right.toFixed(2)} ${y(cy + meet * 0.5)} Q ${cx.toFixed(2)} ${y(cy + 2 * lower + meet)} ${left.toFixed(2)} ${y(cy + meet * 0.5)} Z`;
  const id = side < 0 ? "eyeL" : "eyeR";
  const irisX = (cx + 1.6 * frame.gaze).toFixed(2);
  const radius = subject.eyeOpening * 1.12;
  return (
    `<ellipse cx="${cx}" cy="${cy}" rx="${subject.eyeWidth + 2}" ry="${subject.eyeOpening + 3}" fill="${tone(-7, 0.45)}"/>` +
    `<clipPath id="${id}"><path d="${shape}"/></clipPath><path d="${shape}" fill="#f4f1ec"/>` +
    `<g clip-path="url(#${id})"><circle cx="${irisX}" cy="${y(cy)}" r="${radius.toFixed(2)}" fill="${subject.iris}"/>` +
    `<circle cx="${irisX}" cy="${y(cy)}" r="${(radius * 0.45).toFixed(2)}" fill="#0c0a09"/>` +
    `<circle cx="${(Number(irisX) - 1).toFixed(2)}" cy="${y(cy - 1.2)}" r="0.7" fill="#ffffff"/></g>` +
    // The lid's edge and its fold; the fold flattens out as the eye closes.
    `<path d="M ${left.toFixed(2)} ${y(cy + meet * 0.5)} Q ${cx.toFixed(2)} ${y(cy - 2 * upper + meet)} ${right.toFixed(2)} ${y(cy + meet * 0.5)}" fill="none" stroke="#1f1512" stroke-width="${(1.1 + 0.5 * au(43)).toFixed(2)}" stroke-linecap="round"/>` +
    `<path d="M ${(left + 0.5).toFixed(2)} ${y(cy - 1.6)} Q ${cx.toFixed(2)} ${y(cy - 2 * subject.eyeOpening - 3)} ${(right - 0.5).toFixed(2)} ${y(cy - 1.6)}" fill="none" stroke="${tone(-24)}" stroke-width="0.7" opacity="${(0.75 - 0.45 * au(43)).toFixed(2)}"/>`
  );
}

function nose({ subject, tone, x, y }: { subject: SyntheticSubject; tone: Tone; x: Place; y: Place }): string {
  const tip = subject.eyeHeight + subject.noseLength;
  const w = subject.noseWidth;
  return (
    `<path d="M ${x(-3)} ${y(subject.eyeHeight + 2)} Q ${x(-4)} ${y(tip - 9)} ${x(-w)} ${y(tip - 1)}" fill="none" stroke="${tone(-14)}" stroke-width="0.8" opacity="0.6"/>` +
    `<path d="M ${x(-w)} ${y(tip - 1)} Q ${x(-w * 0.7)} ${y(tip + 2.6)} ${x(-w * 0.3)} ${y(tip + 1)} Q ${x(0)} ${y(tip + 3)} ${x(w * 0.3)} ${y(tip + 1)} Q ${x(w * 0.7)} ${y(tip + 2.6)} ${x(w)} ${y(tip - 1)}" fill="none" stroke="${tone(-26)}" stroke-width="1" stroke-linecap="round"/>` +
    `<ellipse cx="${x(0)}" cy="${y(tip - 4)}" rx="2.4" ry="3.4" fill="${tone(9, 0.5)}"/>`
  );
}

function mouth({
  subject,
  au,
  tone,
  x,
  y,
  jaw,
}: {
  subject: SyntheticSubject;
  au: Intensity;
  tone: Tone;
  x: Place;
  y: Place;
  jaw: number;
}): string {
  const cy = 76;
  const half = subject.mouthWidth + 5 * au(12) - 2.2 * au(26);
  const cornerY = cy - 5 * au(12) + 0.25 * jaw;
  const thick = subject.lipThickness * (1 - 0.25 * au(12));
  // Lips part by up to 3.4, the jaw's drop opens by up to 9 more; the upper lip hardly moves.
  const gap = 3.4 * au(25) + 9 * au(26);
  const upperY = cy - 0.2 * gap - 0.6 * au(12);
  const lowerY = cy + 0.8 * gap + 1.2 * au(12);
  const inner = half * 0.86;
  const opening = `M ${x(-inner)} ${y(cornerY)} Q ${x(0)} ${y(2 * upperY - cornerY)} ${x(inner)} ${y(cornerY)} Q ${x(0)} ${y(2 * lowerY - cornerY)} ${x(-inner)} ${y(cornerY)} Z`;
  const upperLip = `M ${x(-half)} ${y(cornerY)} Q ${x(-5)} ${y(2 * (upperY - thick) - cornerY + 0.8)} ${x(0)} ${y(upperY - thick * 0.75)} Q ${x(5)} ${y(2 * (upperY - thick) - cornerY + 0.8)} ${x(half)} ${y(cornerY)} Q ${x(0)} ${y(2 * upperY - cornerY)} ${x(-half)} ${y(cornerY)} Z`;
  const lowerLip = `M ${x(-half)} ${y(cornerY)} Q ${x(0)} ${y(2 * lowerY - cornerY)} ${x(half)} ${y(cornerY)} Q ${x(0)} ${y(2 * (lowerY + thick * 1.15) - cornerY)} ${x(-half)} ${y(cornerY)} Z`;
  let svg = "";
  if (gap > 0.05) {
    const teeth = Math.min(gap * 0.55, 3.2);
    svg +=
      `<clipPath id="mouth"><path d="${opening}"/></clipPath><path d="${opening}" fill="#3a1114"/><g clip-path="url(#mouth)">` +
      `<ellipse cx="${x(0)}" cy="${y(lowerY + 1)}" rx="${(inner * 0.6).toFixed(2)}" ry="${Math.max(gap * 0.4, 0.4).toFixed(2)}" fill="#b2575a"/>` +
      `<rect x="${x(-inner)}" y="${y(Math.min(upperY, cornerY) - 1)}" width="${(2 * inner).toFixed(2)}" height="${(teeth + 1 + Math.max(upperY - cornerY, 0)).toFixed(2)}" fill="#f3efe6"/></g>`;
  }
  svg += `<path d="${lowerLip}" fill="${subject.lips}"/><path d="${upperLip}" fill="${subject.lips}"/><path d="${upperLip}" fill="#2a0b0c" opacity="0.14"/>`;
  if (gap <= 0.05) {
    svg += `<path d="M ${x(-half)} ${y(cornerY)} Q ${x(0)} ${y(2 * upperY - cornerY)} ${x(half)} ${y(cornerY)}" fill="none" stroke="#4a1c1c" stroke-width="0.8"/>`;
  }
  for (const side of [-1, 1]) {
    // Corners, nasolabial furrow, cheek.
    svg += `<circle cx="${x(side * half)}" cy="${y(cornerY)}" r="${(0.7 + 0.7 * au(12)).toFixed(2)}" fill="${tone(-30, 0.7)}"/>`;
    svg += `<path d="M ${x(side * (subject.noseWidth + 2.5))} ${y(62)} Q ${x(side * (half + 5))} ${y(66)} ${x(side * (half + 4))} ${y(cornerY + 2)}" fill="none" stroke="${tone(-24)}" stroke-width="1.1" stroke-linecap="round" opacity="${(0.08 + 0.55 * au(12)).toFixed(2)}"/>`;
    if (au(12) > 0) {
      svg += `<ellipse cx="${x(side * 26)}" cy="${y(59 - 2.5 * au(12))}" rx="8" ry="5" fill="${tone(8)}" opacity="${(0.5 * au(12)).toFixed(2)}"/>`;
    }
  }
  svg += `<path d="M ${x(-6)} ${y(86 + jaw)} Q ${x(0)} ${y(88 + jaw)} ${x(6)} ${y(86 + jaw)}" fill="none" stroke="${tone(-16)}" stroke-width="0.9" opacity="0.6"/>`;
  return svg;
}

function hairFront({ hair, hairline, hairParting }: SyntheticSubject, y: Place): string {
  const part = 50 + 26 * hairParting;
  return `<path d="M 3 46 C 2 16 20 -2 50 -2 C 80 -2 98 16 97 46 C 94 34 90 26 84 ${y(hairline + 9)} C 76 ${y(hairline + 3)} ${(part + 16).toFixed(1)} ${y(hairline + 2)} ${part.toFixed(1)} ${y(hairline - 3)} C ${(part - 16).toFixed(1)} ${y(hairline + 2)} 24 ${y(hairline + 3)} 16 ${y(hairline + 9)} C 10 26 6 34 3 46 Z" fill="${hair}"/>`;
}
