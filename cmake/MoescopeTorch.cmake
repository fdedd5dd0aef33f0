# LibTorch from its wheel: torch_cpu and c10, and with MOESCOPE_TORCH_CUDA the two libraries that drive a GPU. The
# wheel's own TorchConfig.cmake insists on CUDA and Python, so the libraries are named here instead. Headers are SYSTEM:
# their warnings are not ours.
if(NOT MOESCOPE_TORCH_DIR)
  return()
endif()
if(NOT EXISTS ${MOESCOPE_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "No LibTorch in '${MOESCOPE_TORCH_DIR}'. Run ./lab setup, which installs it.")
endif()
get_filename_component(site_packages ${MOESCOPE_TORCH_DIR} DIRECTORY)
add_library(moescope_torch INTERFACE)
target_include_directories(moescope_torch SYSTEM INTERFACE
  ${MOESCOPE_TORCH_DIR}/include ${MOESCOPE_TORCH_DIR}/include/torch/csrc/api/include)
target_compile_definitions(moescope_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(moescope_torch INTERFACE
  ${MOESCOPE_TORCH_DIR}/lib/libtorch_cpu.so ${MOESCOPE_TORCH_DIR}/lib/libc10.so)
# libtorch_cpu needs the CUDA runtime and CUPTI even without a GPU; both come as wheels beside it.
file(GLOB nvidia_lib_dirs ${site_packages}/nvidia/*/lib)
target_link_options(moescope_torch INTERFACE -Wl,-rpath,${MOESCOPE_TORCH_DIR}/lib)
foreach(dir IN LISTS nvidia_lib_dirs)
  target_link_options(moescope_torch INTERFACE -Wl,-rpath,${dir} -Wl,-rpath-link,${dir})
endforeach()
target_link_options(moescope_torch INTERFACE -Wl,--disable-new-dtags)
if(MOESCOPE_TORCH_CUDA)
  # Nothing refers to these two by name, they register themselves, so the linker must be told to keep them.
  target_link_options(moescope_torch INTERFACE -Wl,--no-as-needed)
  target_link_libraries(moescope_torch INTERFACE
    ${MOESCOPE_TORCH_DIR}/lib/libtorch_cuda.so ${MOESCOPE_TORCH_DIR}/lib/libc10_cuda.so)
endif()
