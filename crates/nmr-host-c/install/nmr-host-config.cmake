# find_package(nmr-host): the targets nmr-host::nmr-host, the shared library, and nmr-host::static; and
# nmr-host::kernel, for modules of drivers as they are and the program that tests them.

get_filename_component(_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET nmr-host::nmr-host)
  add_library(nmr-host::nmr-host SHARED IMPORTED)
  set_target_properties(nmr-host::nmr-host PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}nmr_host${CMAKE_SHARED_LIBRARY_SUFFIX}"
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/nmr-host")
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    set_target_properties(nmr-host::nmr-host PROPERTIES IMPORTED_SONAME "libnmr_host.so.@SERIES@")
  else()
    set_target_properties(nmr-host::nmr-host PROPERTIES IMPORTED_NO_SONAME TRUE)
  endif()

  add_library(nmr-host::kernel INTERFACE IMPORTED)
  set_target_properties(nmr-host::kernel PROPERTIES
    INTERFACE_COMPILE_DEFINITIONS NMR_HOST_NATIVE_CONVENTION
    INTERFACE_COMPILE_OPTIONS -fshort-wchar
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/nmr-host;${_prefix}/include/nmr-host/kernel")

  find_package(Threads REQUIRED)
  add_library(nmr-host::static STATIC IMPORTED)
  set_target_properties(nmr-host::static PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/${CMAKE_STATIC_LIBRARY_PREFIX}nmr_host${CMAKE_STATIC_LIBRARY_SUFFIX}"
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/nmr-host"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m;gcc_s")
endif()

unset(_prefix)
