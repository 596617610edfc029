/** Wire formats that brokers and clients share. */
export * from './error-codes.ts';
