/**
 * Inputs that once made a fuzz target fail, as base64 under the target's name. They are run before
 * everything else, for good; the comment says what was wrong.
 */
export const KEPT_INPUTS: Readonly<Record<string, readonly string[]>> = {
  // A shape nobody made: TypeError instead of RangeError.
  // Then: a map as the key of a map, whose own `toString` was asked for its text.
  packed: ['wQU=', 'gYGodG9TdHJpbmcBAQ=='],
  // Deeper than values may be, and nothing in the text that made it take the reader with the limit.
  json: [
    'W1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tdXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXV1dXQ==',
  ],
  // Counts taken at their word, one in the other.
  'definition bytes': [
    '3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA3QCYloDdAJiWgN0AmJaA',
  ],
  // A length that became negative, in a header that was found behind damage.
  resync: [
    '489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDUCeToRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFANQJ5OhGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDUCeToRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA1Ank6EZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDUCeToRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQDjz1ysRlABAQUA489crEZQAQEFAOPPXKxGUAEBBQAAAA/2aA==',
  ],
  // Room was made for as many deleted instances as the header said.
  'resealed snapshot': [
    '9dDX21BBV1MBAAAAAQAAAAEAAAAAAAAAAACAVv68eEIAAIBW/rx4QgcHBwcHBwcHBwcHBwcHBwcBAgMEBQYHCAAAAAAAAAAAAAAABAAAAACPAd4ABqRuYW1lpW9yZGVyp3ZlcnNpb24BpnN0YXRlc5KjbmV3pGJ1c3mnaW5pdGlhbKNuZXerdHJhbnNpdGlvbnOS3gADpGbYb22So25ld6RidXN5pWV2ZW504kdPonRvpGJ1c3neAAOkZnJvbZGkYnVzeaVldmVudKRCQUNLonRvo25ld6dpbmRleGVzkaFuAAACAAAAAAVvcmRlcgEBbgAAABAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAClKo05gAAAABAAAAAQAAAKD/t80MAAAAAgAAAAEAAABrz+8gHAAAAAYAAAABAAAAa8/vIBwAAAALAAAAAQAAAJX+jiNQQVdFBAAAAPvtB3D10NfbAAAAAIwBAAAAAAAA',
  ],
};
