/*
 * A library that every kernel build links and that has nothing for us: what it holds is for C that
 * was compiled with /GS, and here is none.
 */
extern int nothing;
