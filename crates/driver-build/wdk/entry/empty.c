/*
 * A library that a build names and that has nothing for us: what Microsoft's holds is for C that was
 * compiled with /GS, for ARM64's C, or for virtual HID devices.
 */
extern int nothing;
