# What an installation consists of (`cmake --install build`), and a Debian package of it (tools/package.sh).
include(GNUInstallDirs)
install(TARGETS blixard DESTINATION bin)
install(TARGETS blixard-daemon DESTINATION libexec/blixard)
install(PROGRAMS tools/make_guest.sh DESTINATION share/blixard)  # for blixard image build-demo
install(FILES packaging/blixard.sysusers DESTINATION lib/sysusers.d RENAME blixard.conf)
install(FILES packaging/blixard.service DESTINATION lib/systemd/system)
install(FILES packaging/blixard.toml DESTINATION /etc/blixard)
install(FILES LICENSE DESTINATION share/doc/blixard RENAME copyright)
install(FILES README.md docs/CLI.md docs/CLUSTER.md docs/DEVICES.md docs/FENCING.md DESTINATION share/doc/blixard)
install(CODE "
    foreach(shell_and_file bash:bash-completion/completions/blixard zsh:zsh/vendor-completions/_blixard
                           fish:fish/vendor_completions.d/blixard.fish)
        string(REPLACE : \";\" both \${shell_and_file})
        list(GET both 0 shell)
        list(GET both 1 file)
        set(file \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/\${file})
        get_filename_component(directory \${file} DIRECTORY)
        file(MAKE_DIRECTORY \${directory})
        execute_process(COMMAND $<TARGET_FILE:blixard> completion \${shell} OUTPUT_FILE \${file} COMMAND_ERROR_IS_FATAL ANY)
    endforeach()")

# The same packages that tools/setup.sh --run-only installs.
file(STRINGS tools/setup.sh run_packages REGEX "^run=")
string(REGEX REPLACE "^run=\\((.*)\\)$" "\\1" run_packages "${run_packages}")
string(REPLACE " " ", " run_packages "${run_packages}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Blixard maintainers <maintainers@blixard.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "virtual machines on one host or on a cluster of them")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "${run_packages}")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "qemu-block-extra, chrony")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_SOURCE_DIR}/packaging/deb/conffiles;${CMAKE_SOURCE_DIR}/packaging/deb/postinst;${CMAKE_SOURCE_DIR}/packaging/deb/prerm;${CMAKE_SOURCE_DIR}/packaging/deb/postrm")
include(CPack)
