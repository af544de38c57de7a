# Wrong kernels that the tests must refuse: a kernel of gpu/kernels and its run function with one text replaced, in the
# namespace assay::gpu::planted_<name>.
#
# planted(<list> <name> <kernel> <instance> <text> <other>): appends the source to the list. `instance` is the explicit
# instantiation that is kept, of templates; the text must be there.
function(planted list name kernel instance text other)
  set(folder ${PROJECT_SOURCE_DIR}/gpu/kernels)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${kernel}.cuh ${folder}/${kernel}_run.cu)
  file(READ ${folder}/${kernel}.cuh header)
  string(FIND "${header}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "planted ${name}: ${kernel}.cuh has no text ${text}")
  endif()
  string(REPLACE "${text}" "${other}" header "${header}")
  string(REPLACE "#pragma once\n" "" header "${header}")
  file(READ ${folder}/${kernel}_run.cu source)
  string(FIND "${source}" "\ntemplate void run_" at)
  if(NOT at EQUAL -1)
    string(SUBSTRING "${source}" 0 ${at} source)
    string(APPEND source "\ntemplate void ${instance};\n}  // namespace assay::gpu\n")
  endif()
  string(REPLACE "#include \"gpu/kernels/${kernel}.cuh\"\n" "${header}" source "${source}")
  string(REPLACE "namespace assay::gpu {" "namespace assay::gpu::planted_${name} {" source "${source}")
  set(path ${CMAKE_CURRENT_BINARY_DIR}/planted/${name}.cu)
  file(CONFIGURE OUTPUT ${path} CONTENT "${source}" @ONLY)
  set(${list} ${${list}} ${path} PARENT_SCOPE)
endfunction()
