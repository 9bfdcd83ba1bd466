# a VM that runs is given a volume whose file is on another host, and starts again where it is: an empty file was made for it there, and the other one left (seed 80038)
blixard-sim 1
seed=80038 hosts=5 vms=25 hours=0.8153205555555556 faults=host,store,clock,disk,network,qemu,operator
1168385 vm-stop 0 0 0 9137156295043285808   # 1168.3 s: vm-stop vm-0, asked at h1
1645463 vm-disks 0 21 0 6951406500597362763   # 1645.4 s: vm-disks vm-21, asked at h1
1989996 compact 2 19 5749 3549173150335022321   # 1989.9 s: compact on h3 for 5.7 s
2697545 vm-delete 0 21 0 7110835712500322154   # 2697.5 s: vm-delete vm-21, asked at h1
2828380 vm-delete 3 0 0 15702384242918863719   # 2828.3 s: vm-delete vm-0, asked at h4
2875154 volume-delete 4 36 0 4417789561857483432   # 2875.1 s: volume-delete, asked at h5
