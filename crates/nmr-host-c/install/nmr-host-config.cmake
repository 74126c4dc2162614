# find_package(nmr-host): the targets nmr-host::nmr-host, the shared library, and nmr-host::static.

get_filename_component(_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET nmr-host::nmr-host)
  # The library has no name of its own for the loader, which looks for the file.
  add_library(nmr-host::nmr-host SHARED IMPORTED)
  set_target_properties(nmr-host::nmr-host PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}nmr_host${CMAKE_SHARED_LIBRARY_SUFFIX}"
    IMPORTED_NO_SONAME TRUE
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/nmr-host")

  find_package(Threads REQUIRED)
  add_library(nmr-host::static STATIC IMPORTED)
  set_target_properties(nmr-host::static PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/${CMAKE_STATIC_LIBRARY_PREFIX}nmr_host${CMAKE_STATIC_LIBRARY_SUFFIX}"
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/nmr-host"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m;gcc_s")
endif()

unset(_prefix)
