# one create asked twice through a slow host, with a delete between: the first refused, the second done (seed 50089)
blixard-sim 1
seed=50089 hosts=5 vms=25 hours=0.1528825 faults=host,store,clock,disk,network,qemu,operator
487226 slow-link 3 11 11962 11981405722839344228   # 487.2 s: slow-link on h4 for 11.9 s
487288 vm-label-if 3 11 0 5804591258427318815   # 487.2 s: vm-label-if vm-11, asked at h4
488145 vm-create 3 11 0 4479561804312193335   # 488.1 s: vm-create vm-11, asked at h4
488235 vm-delete 3 11 0 18006966869568299544   # 488.2 s: vm-delete vm-11, asked at h4
488431 vm-create 3 11 0 11738278518109213042   # 488.4 s: vm-create vm-11, asked at h4
490377 vm-read 3 11 0 14911028098711733150   # 490.3 s: vm-read vm-11, asked at h4
