# a VM ends while it starts, and is said to have been stopped the way it was before (seed 822)
blixard-sim 1
seed=822 hosts=5 vms=50 hours=0.12650722222222222 faults=host,store,clock,disk,network,qemu,operator
302483 vm-label 3 9 0 13037263263219489914   # 302.4 s: vm-label vm-9, asked at h4
334720 vm-label-if 2 2 0 1835144305224637060   # 334.7 s: vm-label-if vm-2, asked at h3
354383 node-drain 0 13 0 8343755592528733601   # 354.3 s: node-drain (host number 14), asked at h1
361916 vm-label 3 7 0 13322916493460117077   # 361.9 s: vm-label vm-7, asked at h4
377535 daemon-kill 0 43 18031 14965570155621916666   # 377.5 s: daemon-kill on h1 for 18.0 s
389941 vm-stop 3 13 0 15847156734300218468   # 389.9 s: vm-stop vm-13, asked at h4
390668 vm-label 3 13 0 10234587319216282385   # 390.6 s: vm-label vm-13, asked at h4
390700 store-trouble 3 0 9699 14113323803156299866   # 390.7 s: store-trouble on h4 for 9.6 s
391243 vm-resize 3 13 0 16648162895468573244   # 391.2 s: vm-resize vm-13, asked at h4
392232 vm-resume 3 32 0 6453469310008185366   # 392.2 s: vm-resume vm-32, asked at h4
392379 vm-start 3 13 0 12412843650948102481   # 392.3 s: vm-start vm-13, asked at h4
394917 vm-stop 3 13 0 12493181811980347298   # 394.9 s: vm-stop vm-13, asked at h4
395426 store-down 3 11 3459 15221579392553700324   # 395.4 s: store-down on h4 for 3.4 s
