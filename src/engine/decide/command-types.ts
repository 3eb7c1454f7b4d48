/** What commands are made with, and how their callers take the result. */
import type { Ticket } from '../ticket.ts';
import type { CreateTicket, DeletedMaker, EventTicket } from './tickets.ts';

export interface CommandOptions {
  readonly strict: boolean;
  readonly newId: (now: number) => string;
}

/** The machine a typed handle is bound to. */
export interface BoundMachine {
  readonly machine: string;
  readonly version: number;
}

/** What becomes of the maker of a result: a ticket for the commit, or undefined when it is kept elsewhere. */
export type DeleteTicketFor = (maker: DeletedMaker, mustSync: boolean) => Ticket | undefined;
export type EventTicketFor = (ticket: EventTicket) => Ticket | undefined;
export type CreateTicketFor = (ticket: CreateTicket) => Ticket | undefined;
