/* Clang has one that needs the intrinsics; drivers need neither. */
