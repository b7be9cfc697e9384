// What a person pastes into the screening box.

export const most = 1000; // values of one question, as POST /screen has it

// parseValues takes one value from each run between spaces, commas, semicolons
// and line ends, once each, in order.
export function parseValues(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter((value) => value !== ''))];
}
