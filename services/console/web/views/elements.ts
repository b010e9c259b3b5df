/** The page's element of that id. @throws {Error} when the page has none of this kind */
export function byId<E extends HTMLElement>(id: string, kind: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`Expected a ${kind.name} with the id "${id}"`);
  return element;
}

/** Makes an element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writes a text, and nothing where it stands already: live regions would say it again. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
