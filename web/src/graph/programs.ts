// How sigma draws our nodes and edges on the graphics card: nodes with a shape
// for each kind (so that colour is never alone), edges solid where observed and
// dashed where inferred.

import { createEdgeArrowHeadProgram, createEdgeCompoundProgram, EdgeProgram, NodeProgram } from 'sigma/rendering';
import type { EdgeDisplayData, NodeDisplayData, RenderParams } from 'sigma/types';
import { floatColor } from 'sigma/utils';

const float = 0x1406; // WebGLRenderingContext.FLOAT
const byte = 0x1401; // WebGLRenderingContext.UNSIGNED_BYTE
const triangles = 0x0004; // WebGLRenderingContext.TRIANGLES

interface Target {
  gl: WebGLRenderingContext | WebGL2RenderingContext;
  uniformLocations: Record<string, WebGLUniformLocation>;
}

// A node is a triangle wide enough for the unit circle and the corners beyond
// it; the fragment shader keeps what lies inside the kind's shape.
const nodeVertex = /* glsl */ `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_at;
varying float v_pixel;
varying float v_shape;

void main() {
  float radius = max(a_size / u_sizeRatio, 2.2) * u_correctionRatio * 2.0; // seen from afar too
  vec2 corner = vec2(cos(a_angle), sin(a_angle)) * 3.0;
  gl_Position = vec4((u_matrix * vec3(a_position + corner * radius, 1)).xy, 0, 1);
  v_at = corner;
  v_pixel = u_correctionRatio * 2.0 / radius;
  v_shape = a_shape;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= 255.0 / 254.0;
}
`;

// Signed distances: negative inside. The numbers are those of lib/kinds.ts.
const nodeFragment = /* glsl */ `
precision highp float;
varying vec4 v_color;
varying vec2 v_at;
varying float v_pixel;
varying float v_shape;

float box(vec2 p, vec2 half_) {
  vec2 d = abs(p) - half_;
  return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0);
}

float shape(vec2 p) {
  float disc = length(p) - 0.94;
  if (v_shape < 0.5) return abs(length(p) - 0.56) - 0.16;
  if (v_shape < 1.5) { vec2 q = abs(p); return max(q.x * 0.866 + q.y * 0.5, q.y) - 0.86; }
  if (v_shape < 2.5) return disc;
  if (v_shape < 3.5) return box(p, vec2(0.8));
  if (v_shape < 4.5) {
    vec2 q = vec2(p.x + p.y, p.x - p.y) * 0.7071;
    return min(box(q, vec2(1.0, 0.34)), box(q, vec2(0.34, 1.0)));
  }
  if (v_shape < 5.5) return (abs(p.x) + abs(p.y)) * 0.7071 - 0.74;
  if (v_shape < 6.5) return abs(box(p, vec2(0.62))) - 0.14;
  if (v_shape < 7.5) return min(abs(length(p) - 0.8) - 0.14, max(disc, p.x));
  if (v_shape < 8.5) return box(p, vec2(0.9, 0.26));
  return min(abs(length(p) - 0.84) - 0.1, length(p) - 0.5);
}

void main() {
  #ifdef PICKING_MODE
  gl_FragColor = length(v_at) > 1.15 ? vec4(0.0) : v_color;
  #else
  gl_FragColor = v_color * (1.0 - smoothstep(-v_pixel * 0.5, v_pixel * 0.5, shape(v_at)));
  #endif
}
`;

export class ShapeProgram extends NodeProgram {
  getDefinition() {
    return {
      VERTICES: 3,
      VERTEX_SHADER_SOURCE: nodeVertex,
      FRAGMENT_SHADER_SOURCE: nodeFragment,
      METHOD: triangles,
      UNIFORMS: ['u_sizeRatio', 'u_correctionRatio', 'u_matrix'],
      ATTRIBUTES: [
        { name: 'a_position', size: 2, type: float },
        { name: 'a_size', size: 1, type: float },
        { name: 'a_shape', size: 1, type: float },
        { name: 'a_color', size: 4, type: byte, normalized: true },
        { name: 'a_id', size: 4, type: byte, normalized: true },
      ],
      CONSTANT_ATTRIBUTES: [{ name: 'a_angle', size: 1, type: float }],
      CONSTANT_DATA: [[0], [(2 * Math.PI) / 3], [(4 * Math.PI) / 3]],
    };
  }

  processVisibleItem(index: number, start: number, data: NodeDisplayData & { shape?: number }): void {
    const array = this.array;
    array[start++] = data.x;
    array[start++] = data.y;
    array[start++] = data.size;
    array[start++] = data.shape ?? 0;
    array[start++] = floatColor(data.color);
    array[start++] = index;
  }

  setUniforms(params: RenderParams, { gl, uniformLocations }: Target): void {
    gl.uniform1f(uniformLocations['u_sizeRatio'] ?? null, params.sizeRatio);
    gl.uniform1f(uniformLocations['u_correctionRatio'] ?? null, params.correctionRatio);
    gl.uniformMatrix3fv(uniformLocations['u_matrix'] ?? null, false, params.matrix);
  }
}

// An edge is a band of two triangles from the source's centre to the target's
// rim, less the arrow head; a dash is a stretch of it in screen pixels.
const edgeVertex = /* glsl */ `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_from;
attribute vec2 a_to;
attribute vec2 a_normal;
attribute float a_radius;
attribute float a_dashed;
attribute float a_end;
attribute float a_side;
uniform mat3 u_matrix;
uniform vec2 u_viewport;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
uniform float u_minThickness;
varying vec4 v_color;
varying float v_across;
varying float v_thickness;
varying float v_along;
varying float v_dashed;

void main() {
  float weight = length(a_normal);
  vec2 normal = weight > 0.0 ? a_normal / weight : vec2(0.0, 1.0);
  vec2 forward = vec2(normal.y, -normal.x);
  float pixels = max(weight, u_minThickness * u_sizeRatio);
  float unit = u_correctionRatio / u_sizeRatio;
  float thick = (pixels + u_sizeRatio) * unit; // half a pixel more on each side, to soften the rim
  float rim = a_radius * 2.0 * unit + pixels * unit * 5.0;
  vec2 at = mix(a_from, a_to - forward * rim, a_end);
  gl_Position = vec4((u_matrix * vec3(at + normal * a_side * thick, 1)).xy, 0, 1);
  vec2 tail = (u_matrix * vec3(a_from, 1)).xy;
  v_along = length((gl_Position.xy - tail) * 0.5 * u_viewport);
  v_thickness = pixels / u_sizeRatio;
  v_across = a_side * (v_thickness + 1.0) * 0.5;
  v_dashed = a_dashed;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= 255.0 / 254.0;
}
`;

const edgeFragment = /* glsl */ `
precision highp float;
varying vec4 v_color;
varying float v_across;
varying float v_thickness;
varying float v_along;
varying float v_dashed;

void main() {
  #ifdef PICKING_MODE
  gl_FragColor = v_color;
  #else
  float gap = v_dashed * step(0.58, fract(v_along / 13.0));
  float cover = clamp(v_thickness * 0.5 + 0.5 - abs(v_across), 0.0, 1.0);
  gl_FragColor = v_color * cover * (1.0 - gap);
  #endif
}
`;

class BandProgram extends EdgeProgram {
  getDefinition() {
    return {
      VERTICES: 6,
      VERTEX_SHADER_SOURCE: edgeVertex,
      FRAGMENT_SHADER_SOURCE: edgeFragment,
      METHOD: triangles,
      UNIFORMS: ['u_matrix', 'u_viewport', 'u_sizeRatio', 'u_correctionRatio', 'u_minThickness'],
      ATTRIBUTES: [
        { name: 'a_from', size: 2, type: float },
        { name: 'a_to', size: 2, type: float },
        { name: 'a_normal', size: 2, type: float },
        { name: 'a_radius', size: 1, type: float },
        { name: 'a_dashed', size: 1, type: float },
        { name: 'a_color', size: 4, type: byte, normalized: true },
        { name: 'a_id', size: 4, type: byte, normalized: true },
      ],
      CONSTANT_ATTRIBUTES: [
        { name: 'a_end', size: 1, type: float },
        { name: 'a_side', size: 1, type: float },
      ],
      CONSTANT_DATA: [
        [0, 1],
        [0, -1],
        [1, 1],
        [1, 1],
        [0, -1],
        [1, -1],
      ],
    };
  }

  processVisibleItem(
    index: number,
    start: number,
    source: NodeDisplayData,
    target: NodeDisplayData,
    data: EdgeDisplayData & { dashed?: boolean },
  ): void {
    const dx = target.x - source.x;
    const dy = target.y - source.y;
    const scale = data.size / (Math.hypot(dx, dy) || 1);
    const array = this.array;
    array[start++] = source.x;
    array[start++] = source.y;
    array[start++] = target.x;
    array[start++] = target.y;
    array[start++] = -dy * scale;
    array[start++] = dx * scale;
    array[start++] = target.size;
    array[start++] = data.dashed ? 1 : 0;
    array[start++] = floatColor(data.color);
    array[start++] = index;
  }

  setUniforms(params: RenderParams, { gl, uniformLocations }: Target): void {
    const at = (name: string) => uniformLocations[name] ?? null;
    gl.uniformMatrix3fv(at('u_matrix'), false, params.matrix);
    gl.uniform2f(at('u_viewport'), params.width, params.height);
    gl.uniform1f(at('u_sizeRatio'), params.sizeRatio);
    gl.uniform1f(at('u_correctionRatio'), params.correctionRatio);
    gl.uniform1f(at('u_minThickness'), params.minEdgeThickness);
  }
}

export const FlowProgram = createEdgeCompoundProgram([
  BandProgram,
  createEdgeArrowHeadProgram({ lengthToThicknessRatio: 2.5, widenessToThicknessRatio: 2 }),
]);
