// Types of what our scripts take from ui.js; for `tsc --checkJs`, never loaded by a page.
export interface Signal<T> { value: T }
export function signal<T>(value: T): Signal<T>;
export function computed<T>(make: () => T): { readonly value: T };
export function effect(act: () => void): () => void;
export function html(strings: TemplateStringsArray, ...values: unknown[]): unknown;
export function render(tree: unknown, place: Element): void;
