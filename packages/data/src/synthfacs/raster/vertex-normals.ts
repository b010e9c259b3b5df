/** Unit normals of a mesh's vertices: means of the triangles around them, weighted by area. */
export function vertexNormals(positions: Float32Array, triangles: Uint32Array): Float32Array {
  const normals = new Float32Array(positions.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const p = 3 * triangles[t]!;
    const q = 3 * triangles[t + 1]!;
    const r = 3 * triangles[t + 2]!;
    const ax = positions[q]! - positions[p]!;
    const ay = positions[q + 1]! - positions[p + 1]!;
    const az = positions[q + 2]! - positions[p + 2]!;
    const bx = positions[r]! - positions[p]!;
    const by = positions[r + 1]! - positions[p + 1]!;
    const bz = positions[r + 2]! - positions[p + 2]!;
    const x = ay * bz - az * by;
    const y = az * bx - ax * bz;
    const z = ax * by - ay * bx;
    normals[p] = normals[p]! + x;
    normals[p + 1] = normals[p + 1]! + y;
    normals[p + 2] = normals[p + 2]! + z;
    normals[q] = normals[q]! + x;
    normals[q + 1] = normals[q + 1]! + y;
    normals[q + 2] = normals[q + 2]! + z;
    normals[r] = normals[r]! + x;
    normals[r + 1] = normals[r + 1]! + y;
    normals[r + 2] = normals[r + 2]! + z;
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i]!, normals[i + 1]!, normals[i + 2]!) || 1;
    normals[i] = normals[i]! / length;
    normals[i + 1] = normals[i + 1]! / length;
    normals[i + 2] = normals[i + 2]! / length;
  }
  return normals;
}
