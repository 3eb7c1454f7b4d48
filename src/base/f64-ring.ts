/** F64Ring: a first-in first-out queue of numbers in one typed array that doubles when full. */
import { invariant } from './assert.ts';

const FIRST_CAPACITY = 16;

export class F64Ring {
  private values = new Float64Array(FIRST_CAPACITY);
  private head = 0;
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) this.grow();
    this.values[(this.head + this.length) & (this.values.length - 1)] = value;
    this.length++;
  }

  shift(): number {
    invariant(this.length > 0, 'shift of a ring that is not empty');
    const value = this.values[this.head] as number;
    this.head = (this.head + 1) & (this.values.length - 1);
    this.length--;
    return value;
  }

  /** The value that `index` others precede. */
  at(index: number): number {
    invariant(index < this.length, 'index within the ring');
    return this.values[(this.head + index) & (this.values.length - 1)] as number;
  }

  private grow(): void {
    const grown = new Float64Array(this.values.length * 2);
    for (let i = 0; i < this.length; i++) grown[i] = this.at(i);
    this.values = grown;
    this.head = 0;
  }
}
