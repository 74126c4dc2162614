# What the scripts for the virtual machine share. For Windows PowerShell 5.1, which every Windows has.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# As the crate exnpi-control has them; tests/scripts compares.
$EventProvider = '{bd5c6b07-7eb5-51b3-2116-bdde7eb19fd2}'
$EventProviderName = 'ExnpiDriver'

# What a script returns when Windows has to be started again, as installers do.
$RestartNeeded = 3010

# What the device manager's problem codes mean here.
$Cures = @{
    1  = 'not configured: no package was installed for the device; run install.ps1 with -Package'
    10 = 'the driver did not start: an entry of the driver returned a failure; see DbgPrint and collect.ps1'
    14 = 'start Windows again'
    22 = 'the device is disabled: Enable-PnpDevice'
    28 = 'no driver: the package is not installed, or Windows is older than build 19041'
    31 = 'the driver was not loaded or AddDevice failed: see the System log for a KMDF version, and DbgPrint'
    37 = 'DriverEntry returned a failure: see DbgPrint, or the System log for a KMDF version'
    38 = 'an older copy of the image is still loaded: start Windows again'
    39 = 'the image cannot be loaded: not there, damaged, or for another processor; see CodeIntegrity'
    45 = 'the device is not there: a SWD device of devgen ends with Windows; run install.ps1'
    48 = 'the driver is blocked: Memory Integrity or the block list; see CodeIntegrity'
    52 = 'the signature is not accepted: test signing is off, or the image is not signed; run prepare.ps1'
}

function Write-Step {
    param([string] $Text)
    Write-Host "== $Text"
}

function Write-Failure {
    param([System.Management.Automation.ErrorRecord] $Failure)
    Write-Host "FAILED: $($Failure.Exception.Message)" -ForegroundColor Red
    Write-Host "        $($Failure.InvocationInfo.PositionMessage)"
}

# Runs a program, shows and returns what it prints, and throws if its exit code is not expected.
function Invoke-Tool {
    param(
        [Parameter(Mandatory)] [string] $Path,
        [string[]] $Arguments = @(),
        [int[]] $Accept = @(0)
    )
    Write-Host "> $Path $($Arguments -join ' ')"
    # Otherwise the first line on its standard error would be an exception.
    $ErrorActionPreference = 'Continue'
    $lines = @(& $Path @Arguments 2>&1 | ForEach-Object { "$_" })
    $code = $LASTEXITCODE
    $lines | ForEach-Object { Write-Host "  $_" }
    if ($Accept -notcontains $code) {
        throw "$Path returned $code"
    }
    $lines
}

# Reads the sections of an INF: for each name its lines, without comments and empty ones.
function Read-Inf {
    param([Parameter(Mandatory)] [string] $Path)
    $sections = @{}
    $section = ''
    foreach ($line in Get-Content -LiteralPath $Path) {
        # A semicolon between quotation marks begins no comment.
        $text = ($line -replace '^((?:[^";]|"[^"]*")*);.*$', '$1').Trim()
        if ($text -match '^\[(.+)\]$') {
            $section = $Matches[1].Trim()
        } elseif ($text) {
            if (-not $sections.ContainsKey($section)) {
                $sections[$section] = @()
            }
            $sections[$section] += $text
        }
    }
    return $sections
}

# Returns the value of the first line `key = value` whose key is like the pattern, with its tokens
# replaced by their strings. Throws if there is none.
function Get-InfValue {
    param([hashtable] $Sections, [string] $Section, [string] $Key)
    foreach ($line in $Sections[$Section]) {
        $name, $value = "$line" -split '=', 2
        if ($name.Trim() -notlike $Key) {
            continue
        }
        $value = "$value".Trim()
        foreach ($string in $Sections['Strings']) {
            $token, $text = "$string" -split '=', 2
            $text = "$text".Trim().Trim('"').Replace('$', '$$')
            $value = $value -replace [regex]::Escape("%$($token.Trim())%"), $text
        }
        return $value
    }
    throw "the INF has no $Key in [$Section]"
}

# Returns the hardware id of the first model of an INF.
function Get-HardwareId {
    param([hashtable] $Sections)
    # Models,NTamd64.10.0...19041 stands for the section [Models.NTamd64.10.0...19041].
    $models, $targets = (Get-InfValue -Sections $Sections -Section 'Manufacturer' -Key '*') -split '\s*,\s*'
    $names = @($models) + @($targets | ForEach-Object { "$models.$_" })
    $found = @($names | Where-Object { $Sections.ContainsKey($_) })
    if ($found.Count -eq 0) {
        throw "the INF has no models: none of $($names -join ', ')"
    }
    $model = Get-InfValue -Sections $Sections -Section $found[0] -Key '*'
    return @($model -split '\s*,\s*')[1]
}

# Returns the one file of a kind in a folder. Throws if there is none, or more than one.
function Get-OneFile {
    param([string] $Folder, [string] $Kind)
    $files = @(Get-ChildItem -Path $Folder -Filter "*.$Kind" | Where-Object { $_.Extension -eq ".$Kind" })
    if ($files.Count -ne 1) {
        throw "$Folder has $($files.Count) files with the ending .$($Kind); there must be 1: -Package is the folder of the package"
    }
    return $files[0].FullName
}

# Returns what the scripts need to know of a package, from its INF: paths, hardware id, service, image. Without a
# folder, the package is the folder above the scripts.
function Get-Package {
    param([string] $Folder)
    if (-not $Folder) {
        $Folder = Split-Path -Path $PSScriptRoot -Parent
    }
    $Folder = (Resolve-Path -LiteralPath $Folder).Path
    $inf = Get-OneFile -Folder $Folder -Kind 'inf'
    $sections = Read-Inf -Path $inf
    $services = @($sections.Keys | Where-Object { $_ -like '*.Services' })
    if ($services.Count -eq 0) {
        throw "$inf installs no service: is it the INF of a driver?"
    }
    # Name, flags, section.
    $service = @((Get-InfValue -Sections $sections -Section $services[0] -Key 'AddService') -split '\s*,\s*')
    $binary = Get-InfValue -Sections $sections -Section $service[2] -Key 'ServiceBinary'
    $catalog = Get-InfValue -Sections $sections -Section 'Version' -Key 'CatalogFile*'
    $driver = @{
        Folder     = $Folder
        Inf        = $inf
        Catalog    = Join-Path -Path $Folder -ChildPath $catalog
        Image      = @($binary -split '\\')[-1]
        Service    = $service[0]
        HardwareId = Get-HardwareId -Sections $sections
    }
    Write-Host "  $($inf): $($driver.HardwareId), service $($driver.Service), image $($driver.Image)"
    return $driver
}

# A program that is given, beside the scripts, on the path, or in an installed WDK; nothing if there is none.
function Find-Program {
    param([string] $Name, [string] $Given)
    if ($Given) {
        return (Resolve-Path -LiteralPath $Given).Path
    }
    $beside = Join-Path -Path $PSScriptRoot -ChildPath "$Name.exe"
    if (Test-Path -LiteralPath $beside) {
        return $beside
    }
    $command = Get-Command -Name "$Name.exe" -CommandType Application -ErrorAction SilentlyContinue
    if ($command) {
        return @($command)[0].Source
    }
    $kits = "${env:ProgramFiles(x86)}\Windows Kits\10\Tools"
    if (Test-Path -LiteralPath $kits) {
        $found = Get-ChildItem -Path $kits -Recurse -Filter "$Name.exe" |
            Where-Object { $_.DirectoryName -match '\\(x64|arm64)$' } |
            Sort-Object -Property FullName
        if ($found) {
            return @($found)[-1].FullName
        }
    }
    return $null
}

# Sets a registry value. Tells whether it was different.
function Set-Value {
    param([string] $Key, [string] $Name, $Value, [string] $Type = 'DWord')
    if (-not (Test-Path -LiteralPath $Key)) {
        New-Item -Path $Key -Force | Out-Null
    }
    $old = Get-ItemProperty -LiteralPath $Key -Name $Name -ErrorAction SilentlyContinue
    if ($old -and ("$($old.$Name)" -eq "$Value")) {
        Write-Host "  $Key\$Name is $Value already"
        return $false
    }
    New-ItemProperty -LiteralPath $Key -Name $Name -Value $Value -PropertyType $Type -Force | Out-Null
    Write-Host "  $Key\$Name = $Value"
    return $true
}

# Whether this start of Windows accepts test signatures. The text of bcdedit depends on the language.
function Test-TestSigning {
    $control = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control'
    return $control.SystemStartOptions -match '\bTESTSIGNING\b'
}

# The devices of a driver that are there, and those that were.
function Get-Device {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    Get-PnpDevice -ErrorAction SilentlyContinue | Where-Object { $_.HardwareID -contains $Driver.HardwareId }
}

# The device that is there; there must be one.
function Get-TheDevice {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    $devices = @(Get-Device -Driver $Driver | Where-Object { $_.Present })
    if ($devices.Count -ne 1) {
        throw "$($devices.Count) devices with the hardware id $($Driver.HardwareId); there must be 1: run install.ps1 or remove.ps1"
    }
    return $devices[0]
}

# Throws if the device has a problem, and says what helps.
function Assert-DeviceWorks {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    $device = Get-TheDevice -Driver $Driver
    $problem = [int] $device.ConfigManagerErrorCode
    if ($problem -eq 0) {
        Write-Host "  $($device.InstanceId): works"
        return
    }
    $cure = 'see docs/windows.md'
    if ($Cures.ContainsKey($problem)) {
        $cure = $Cures[$problem]
    }
    throw "$($device.InstanceId) has problem $($problem): $cure"
}

# Waits for something that Windows does in its own time.
function Wait-Until {
    param([scriptblock] $Condition, [string] $What, [int] $Seconds = 30)
    $end = (Get-Date).AddSeconds($Seconds)
    while (-not (& $Condition)) {
        if ((Get-Date) -gt $end) {
            throw "not after $Seconds seconds: $What"
        }
        Start-Sleep -Milliseconds 200
    }
}

# Whether the image is in the kernel.
function Test-DriverLoaded {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    $found = Get-CimInstance -ClassName Win32_SystemDriver -Filter "Name='$($Driver.Service)'"
    return ($null -ne $found) -and ($found.State -eq 'Running')
}

# Disables the device, and waits until its driver is unloaded.
function Disable-TheDevice {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    $device = Get-TheDevice -Driver $Driver
    Disable-PnpDevice -InstanceId $device.InstanceId -Confirm:$false
    Wait-Until { -not (Test-DriverLoaded -Driver $Driver) } 'the driver is unloaded'
    Write-Host '  disabled, and unloaded'
}

# Enables the device, and waits until its driver is loaded.
function Enable-TheDevice {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    $device = Get-TheDevice -Driver $Driver
    Enable-PnpDevice -InstanceId $device.InstanceId -Confirm:$false
    Wait-Until { Test-DriverLoaded -Driver $Driver } 'the driver is loaded'
    Assert-DeviceWorks -Driver $Driver
}

# The names that the driver store has given to the package: oem12.inf.
function Get-PublishedName {
    param([Parameter(Mandatory)] [hashtable] $Driver)
    $name = Split-Path -Path $Driver.Inf -Leaf
    Get-WindowsDriver -Online |
        Where-Object { (Split-Path -Path $_.OriginalFileName -Leaf) -eq $name } |
        ForEach-Object { $_.Driver }
}

# Asks exnpictl, and returns what it says in JSON.
function Invoke-Control {
    param([string] $Program, [string[]] $Arguments)
    $text = Invoke-Tool -Path $Program -Arguments ($Arguments + '--json')
    return $text -join "`n" | ConvertFrom-Json
}

# Throws if two values differ.
function Assert-Equal {
    param($Is, $Expected, [string] $What)
    if ("$Is" -ne "$Expected") {
        throw "$What is $Is and not $Expected"
    }
    Write-Host "  $What is $Is"
}

Export-ModuleMember -Function * -Variable EventProvider, EventProviderName, RestartNeeded
