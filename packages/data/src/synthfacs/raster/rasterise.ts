/** A triangle mesh in camera space: x right, y up, z to the viewer, in centimetres; the camera stands at z = distance. */
export interface Surface {
  /** [vertices * 3] */
  readonly positions: Float32Array;
  /** [vertices * 3], of unit length. */
  readonly normals: Float32Array;
  /** [vertices * 2], in whatever the material makes of them. */
  readonly uvs: Float32Array;
  /** [triangles * 3] */
  readonly triangles: Uint32Array;
  /** Draw triangles that face away, too. */
  readonly twoSided: boolean;
  /** Whether nothing is there; absent: the surface has no holes. */
  readonly cut?: (u: number, v: number) => boolean;
  /** Moves it to the viewer by so many centimetres when depths are compared. */
  readonly bias?: number;
}

/** Perspective: a point lands at `centreX + focalX * x / (distance - z)`, `centreY - focalY * y / (distance - z)`. */
export interface Camera {
  readonly distance: number;
  readonly focalX: number;
  readonly focalY: number;
  readonly centreX: number;
  readonly centreY: number;
}

/** What is seen in each pixel. */
export interface Visibility {
  readonly width: number;
  readonly height: number;
  /** Index of the surface, -1 for the background. */
  readonly surface: Int8Array;
  /** First index into the surface's `triangles`. */
  readonly triangle: Int32Array;
  /** 1 / (distance - z); 0 for the background. */
  readonly depth: Float32Array;
  /** Shares of the triangle's first two corners, corrected for perspective. */
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** Makes an empty view. */
export function createVisibility(width: number, height: number): Visibility {
  const count = width * height;
  return {
    width,
    height,
    surface: new Int8Array(count).fill(-1),
    triangle: new Int32Array(count),
    depth: new Float32Array(count),
    first: new Float32Array(count),
    second: new Float32Array(count),
  };
}

/** Draws a surface into the view where it is nearer than what is there: a z-buffer with perspective-correct corners. */
export function rasterise(view: Visibility, camera: Camera, surface: Surface, index: number): void {
  const { width, height, depth } = view;
  const { positions, triangles, uvs, twoSided, cut, bias = 0 } = surface;
  const count = positions.length / 3;
  const screen = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    const inverse = 1 / (camera.distance - positions[3 * i + 2]!);
    screen[3 * i] = camera.centreX + camera.focalX * positions[3 * i]! * inverse;
    screen[3 * i + 1] = camera.centreY - camera.focalY * positions[3 * i + 1]! * inverse;
    screen[3 * i + 2] = inverse;
  }
  const nearer = bias / camera.distance ** 2;
  for (let t = 0; t < triangles.length; t += 3) {
    const p = 3 * triangles[t]!;
    const q = 3 * triangles[t + 1]!;
    const r = 3 * triangles[t + 2]!;
    const px = screen[p]!;
    const py = screen[p + 1]!;
    const qx = screen[q]!;
    const qy = screen[q + 1]!;
    const rx = screen[r]!;
    const ry = screen[r + 1]!;
    // Negative when it faces the viewer: rows run downwards.
    const area = (qx - px) * (ry - py) - (qy - py) * (rx - px);
    if (area === 0 || (area > 0 && !twoSided)) continue;
    const left = Math.max(Math.ceil(Math.min(px, qx, rx) - 0.5), 0);
    const right = Math.min(Math.floor(Math.max(px, qx, rx) - 0.5), width - 1);
    const top = Math.max(Math.ceil(Math.min(py, qy, ry) - 0.5), 0);
    const bottom = Math.min(Math.floor(Math.max(py, qy, ry) - 0.5), height - 1);
    if (left > right || top > bottom) continue;
    const scale = 1 / area;
    const pz = screen[p + 2]!;
    const qz = screen[q + 2]!;
    const rz = screen[r + 2]!;
    const stepP = -(ry - qy) * scale;
    const stepQ = -(py - ry) * scale;
    for (let y = top; y <= bottom; y++) {
      const cy = y + 0.5;
      const cx = left + 0.5;
      let shareP = ((rx - qx) * (cy - qy) - (ry - qy) * (cx - qx)) * scale;
      let shareQ = ((px - rx) * (cy - ry) - (py - ry) * (cx - rx)) * scale;
      for (let at = y * width + left, end = y * width + right; at <= end; at++, shareP += stepP, shareQ += stepQ) {
        const shareR = 1 - shareP - shareQ;
        if (shareP < 0 || shareQ < 0 || shareR < 0) continue;
        const inverse = shareP * pz + shareQ * qz + shareR * rz;
        if (inverse + nearer <= depth[at]!) continue;
        const first = (shareP * pz) / inverse;
        const second = (shareQ * qz) / inverse;
        if (cut !== undefined) {
          const third = 1 - first - second;
          const i = triangles[t]! * 2;
          const j = triangles[t + 1]! * 2;
          const k = triangles[t + 2]! * 2;
          const u = first * uvs[i]! + second * uvs[j]! + third * uvs[k]!;
          if (cut(u, first * uvs[i + 1]! + second * uvs[j + 1]! + third * uvs[k + 1]!)) continue;
        }
        depth[at] = inverse + nearer;
        view.surface[at] = index;
        view.triangle[at] = t;
        view.first[at] = first;
        view.second[at] = second;
      }
    }
  }
}
